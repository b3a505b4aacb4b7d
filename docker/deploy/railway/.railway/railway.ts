/**
 * Railway's infrastructure as code (railway.json and railway.toml end on 2026-12-01). Applied by `airlock deploy
 * --target railway`.
 */
import { defineRailway, image, postgres, preserve, project, redis, service } from 'railway/iac';

export default defineRailway((ctx) => {
  // eslint-disable-next-line no-restricted-properties -- the Railway CLI evaluates this file; a deploy passes these here
  const { API_IMAGE, IMAGE_DIGEST, CALLBACK_REPLICAS } = process.env;
  if (!API_IMAGE || !IMAGE_DIGEST)
    throw new Error('API_IMAGE, IMAGE_DIGEST: are missing; expected to be run by airlock deploy --target railway');
  const isProduction = ctx.isEnvironment('production');

  const database = postgres('postgres');
  const cache = redis('redis');
  const api = service('api', {
    source: image(API_IMAGE),
    preDeploy: 'airlock db migrate',
    healthcheck: '/readyz',
    healthcheckTimeout: 300,
    replicas: isProduction ? 2 : 1,
    deploy: {
      // By default Railway sends SIGKILL 0 s after SIGTERM.
      drainingSeconds: 45,
      overlapSeconds: 10,
      restartPolicyType: 'ALWAYS',
      sleepApplication: false,
    },
    env: {
      ENVIRONMENT: ctx.environment ?? '',
      IMAGE_DIGEST,
      TRUSTED_PROXY_HOPS: '1',
      // Railway encrypts the private network of the project; its databases do not support TLS there.
      PRIVATE_NETWORKS: '*.railway.internal',
      // Railway's templates do not create these two roles: `airlock db provision` does, and does not print them.
      DATABASE_URL: preserve(),
      DATABASE_MIGRATION_URL: preserve(),
      SECRET_KEY: preserve(),
      REDIS_URL: cache.env.REDIS_URL,
      CORS_ORIGINS: preserve(),
      AUTH_ISSUER: preserve(),
      AUTH_JWKS_URL: preserve(),
      AUTH_AUTHORIZED_PARTIES: preserve(),
    },
  });
  const worker = service('worker', {
    source: image(API_IMAGE),
    start: 'node /app/apps/worker/dist/main.js',
    // No health check: Railway would ask the port of a service, and the worker has only its management port.
    replicas: isProduction ? 2 : 1,
    deploy: { drainingSeconds: 45, overlapSeconds: 10, restartPolicyType: 'ALWAYS', sleepApplication: false },
    env: {
      ENVIRONMENT: ctx.environment ?? '',
      IMAGE_DIGEST,
      PRIVATE_NETWORKS: '*.railway.internal',
      DATABASE_URL: preserve(),
      REDIS_URL: cache.env.REDIS_URL,
    },
  });
  // For teams with connected accounts (docs/connections.md).
  const callback = service('callback', {
    source: image(API_IMAGE),
    start: 'node /app/apps/callback/dist/main.js',
    healthcheck: '/readyz',
    healthcheckTimeout: 300,
    replicas: 1,
    deploy: { drainingSeconds: 45, overlapSeconds: 10, restartPolicyType: 'ALWAYS', sleepApplication: false },
    env: {
      ENVIRONMENT: ctx.environment ?? '',
      IMAGE_DIGEST,
      PORT: '8182',
      TRUSTED_PROXY_HOPS: '1',
      PRIVATE_NETWORKS: '*.railway.internal',
      DATABASE_URL: preserve(),
      CONNECTION_PROVIDERS: preserve(),
      CONNECTION_KEYS: preserve(),
      CALLBACK_URL: preserve(),
      CONNECTIONS_PAGE: preserve(),
    },
  });
  const isCallbackOn = (CALLBACK_REPLICAS ?? '0') !== '0';
  return project('airlock', { resources: [database, cache, api, worker, ...(isCallbackOn ? [callback] : [])] });
});
