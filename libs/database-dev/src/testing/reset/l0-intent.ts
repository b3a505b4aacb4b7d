import type { StaticLayer } from './layer.js';
import { problemIf } from './verdict.js';
import { STRICT_TRAITS, traitsOf } from '@airlock/config';

/** Set by platforms where nothing that may be reset runs, and by our own releases. */
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

/** The caller says `testing`, in these bytes, and nothing around it says that this is a deployment. */
export const intent: StaticLayer = {
  id: 'L0',
  title: 'intent',
  phase: 'static',
  danger: 'a command typed in the wrong shell resets whatever that shell is set up for',
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
        ...problemIf(markers.length > 0, `${markers.join(', ')} set; expected none`, 'run it where tests run'),
        // It gives no permission; it only takes one away.
        ...problemIf(
          nodeEnv === STRICT_TRAITS.nodeEnv,
          'NODE_ENV is "production"; expected no contradiction',
          'unset NODE_ENV',
        ),
      ],
    };
  },
};
