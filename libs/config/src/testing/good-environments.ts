import type { Environment } from '../values/environment.js';

const auth = {
  AUTH_ISSUER: 'https://id.corp.net',
  AUTH_JWKS_URL: 'https://id.corp.net/keys.json',
  AUTH_AUTHORIZED_PARTIES: 'https://app.corp.net',
};

/** The smallest valid configuration of each environment. The secrets are random and used nowhere else. */
export const goodEnvironments: Readonly<Record<Environment, Readonly<Record<string, string>>>> = {
  development: {
    ENVIRONMENT: 'development',
    DATABASE_URL: 'postgres://airlock_app:p@127.0.0.1:54318/airlock_development',
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
