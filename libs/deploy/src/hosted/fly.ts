import { releaseVariables, type HostedTarget } from './target.js';

/** Fly.io: fly.toml migrates by its release command and replaces machines blue-green, so a failure of either serves on. */
export const fly: HostedTarget = {
  name: 'fly',
  options: {
    app: 'the Fly app of this environment',
    registry: 'optional: registry.fly.io/<app>, where the image is copied first',
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
