import { createHash } from 'node:crypto';
import { type Environment, ENVIRONMENTS } from '../values/environment.js';
import { metaOf, textFor, variableNames } from '../variables/schema.js';

const auth = {
  AUTH_ISSUER: 'https://id.corp.net',
  AUTH_JWKS_URL: 'https://id.corp.net/keys.json',
  AUTH_AUTHORIZED_PARTIES: 'https://app.corp.net',
};

const STATED: Readonly<Record<Environment, Readonly<Record<string, string>>>> = {
  development: {
    ENVIRONMENT: 'development',
    DATABASE_URL: 'postgres://airlock_app:p@127.0.0.1:15432/airlock_development',
  },
  testing: {
    ENVIRONMENT: 'testing',
    DATABASE_URL: 'postgres://airlock_app:p@127.0.0.1:5433/airlock_test',
  },
  preview: {
    ENVIRONMENT: 'preview',
    DATABASE_URL: 'postgres://airlock_app:k3v0qXzR8bYt5LwN@postgres:5432/airlock_preview',
    SECRET_KEY: 'e0b1f7c29a4d8365b7e1d09c4fa26835',
    ...auth,
  },
  staging: {
    ENVIRONMENT: 'staging',
    DATABASE_URL:
      'postgres://airlock_app:Zr8bYt5LwNk3v0qX@db.staging.corp.net:5432/airlock_staging?sslmode=verify-full',
    REDIS_URL: 'rediss://:Yt5LwNk3v0qXZr8b@redis.staging.corp.net:6379/0',
    SECRET_KEY: '5b7e1d09c4fa26835e0b1f7c29a4d836',
    ...auth,
  },
  production: {
    ENVIRONMENT: 'production',
    DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock?sslmode=verify-full',
    REDIS_URL: 'rediss://:qXZr8bYt5LwNk3v0@redis.corp.net:6379/0',
    SECRET_KEY: '9c4fa26835e0b1f7c29a4d8365b7e1d0',
    ...auth,
  },
};

/**
 * The smallest valid configuration of each environment. A required variable that is not stated above has its example, and a
 * secret a text that is used nowhere else.
 */
export const goodEnvironments = Object.fromEntries(
  ENVIRONMENTS.map((environment) => [environment, { ...createRequired(environment), ...STATED[environment] }]),
) as typeof STATED;

function createRequired(environment: Environment): Record<string, string> {
  const names = variableNames.filter((name) => metaOf(name).required?.includes(environment));
  return Object.fromEntries(
    names.map((name) => {
      const { secret, example } = metaOf(name);
      return [name, secret ? createSecretText(`${name} of ${environment}`) : (textFor(example, environment) ?? '')];
    }),
  );
}

/** Always the same text for the same seed; a spec of the canaries adds a mark. */
export function createSecretText(seed: string): string {
  return createHash('sha256').update(seed).digest('hex').slice(0, 32);
}
