import {
  type Call,
  CALLBACK_OPTION,
  hasCallback,
  releaseVariables,
  type HostedTarget,
  type TargetRequest,
} from './target.js';

/**
 * Fly.io: the release command in fly.toml migrates, then machines are replaced blue-green. If either fails, the old
 * ones serve. The callback is an app with its own secrets, and is replaced last.
 */
export const fly: HostedTarget = {
  name: 'fly',
  options: {
    app: 'the Fly app of this environment; that of its callback is named <app>-callback',
    registry: 'optional: registry.fly.io/<app>, to copy the image to first',
    ...CALLBACK_OPTION,
  },
  createCalls(request) {
    const { app = '' } = request.options;
    return [
      deploy(request, app, 'fly.toml'),
      ...(hasCallback(request) ? [deploy(request, `${app}-callback`, 'callback.toml')] : []),
    ];
  },
};

function deploy(request: TargetRequest, app: string, config: string): Call {
  return {
    command: [
      'flyctl',
      'deploy',
      ...['--app', app, '--image', request.image],
      ...['--config', `docker/deploy/fly/${config}`, '--strategy', 'bluegreen', '--yes'],
      ...Object.entries(releaseVariables(request)).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ],
  };
}
