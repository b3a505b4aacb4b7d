import { CALLBACK_OPTION, hasCallback, releaseVariables, type HostedTarget } from './target.js';

/**
 * Railway: one apply of railway.ts sets image, variables, migration and health check together. The project token names
 * the environment; Railway keeps the old deployment when the new one does not become healthy.
 */
export const railway: HostedTarget = {
  name: 'railway',
  options: CALLBACK_OPTION,
  createCalls: (request) => [
    {
      command: ['railway', 'config', 'apply', '--yes'],
      cwd: 'docker/deploy/railway',
      env: {
        ...{ ...releaseVariables(request), API_IMAGE: request.image },
        CALLBACK_REPLICAS: hasCallback(request) ? '1' : '0',
      },
    },
  ],
};
