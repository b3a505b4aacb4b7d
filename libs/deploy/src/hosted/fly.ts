import { releaseVariables, type HostedTarget } from './target.js';

/**
 * Fly.io: the release command in fly.toml migrates, then machines are replaced blue-green. If either fails, the old
 * ones serve.
 */
export const fly: HostedTarget = {
  name: 'fly',
  options: {
    app: 'the Fly app of this environment',
    registry: 'optional: registry.fly.io/<app>, to copy the image to first',
  },
  createCalls: (request) => [
    {
      command: [
        'flyctl',
        'deploy',
        ...['--app', request.options['app'] ?? '', '--image', request.image],
        ...['--config', 'docker/deploy/fly/fly.toml', '--strategy', 'bluegreen', '--yes'],
        ...Object.entries(releaseVariables(request)).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ],
    },
  ],
};
