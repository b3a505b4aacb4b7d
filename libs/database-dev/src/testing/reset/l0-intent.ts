import type { StaticLayer } from './layer.js';
import { problemIf } from './verdict.js';
import { STRICT_TRAITS, traitsOf } from '@airlock/config';

/** Set by platforms without resettable databases, and by our own releases. */
const DEPLOY_MARKERS = [
  'KUBERNETES_SERVICE_HOST',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'ECS_CONTAINER_METADATA_URI',
  'ECS_CONTAINER_METADATA_URI_V4',
  'K_SERVICE',
  'GAE_ENV',
  'WEBSITE_INSTANCE_ID',
  'DYNO',
  'FLY_APP_NAME',
  'RENDER',
  'VERCEL',
  'RAILWAY_ENVIRONMENT',
  'NOMAD_ALLOC_ID',
  'IMAGE_DIGEST',
  'ENV_FILE',
  'ENVIRONMENT_FILE',
  'DOTENV_CONFIG_PATH',
];

/** The caller states exactly `testing`, and no variable indicates a deployment. */
export const intent: StaticLayer = {
  id: 'L0',
  title: 'intent',
  phase: 'static',
  danger: 'a command typed in the wrong shell resets the database of that shell',
  judge({ variables, inspection }) {
    const stated = variables['ENVIRONMENT'];
    const markers = DEPLOY_MARKERS.filter((name) => variables[name] !== undefined && variables[name] !== '');
    const nodeEnv = variables['NODE_ENV'];
    return {
      saw: `ENVIRONMENT=${stated === undefined ? '(not set)' : JSON.stringify(stated)}, markers of a deployment: ${markers.join(', ') || 'none'}`,
      problems: [
        ...problemIf(
          stated !== inspection.environment || !traitsOf(stated).mayBeReset,
          `ENVIRONMENT is ${stated === undefined ? 'not set' : JSON.stringify(stated)}; expected exactly "testing"`,
          'ENVIRONMENT=testing airlock db reset-test',
        ),
        ...problemIf(markers.length > 0, `${markers.join(', ')} set; expected none`, 'run the command where tests run'),
        // TESTING=true never permits a reset; NODE_ENV=production forbids one.
        ...problemIf(
          nodeEnv === STRICT_TRAITS.nodeEnv,
          'NODE_ENV is "production"; expected it to agree with ENVIRONMENT',
          'unset NODE_ENV',
        ),
      ],
    };
  },
};
