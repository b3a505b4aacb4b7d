/**
 * What the settings file of a stack (docker/settings/ENVIRONMENT.env) may not set, and why. Every other variable that a
 * program reads is passed on to it.
 */
export const FIXED_IN_STACKS: Readonly<Record<string, string>> = {
  ENVIRONMENT: 'the overlay belongs to one environment',
  TESTING: 'ENVIRONMENT alone says what this is',
  HOST: 'the edge reaches the API on every address of its container',
  PORT: 'the edge and the health check ask port 8000',
  DATABASE_SERVER: 'the database is a separate service',
  DATABASE_SSL_CA: 'the database of the stack stands on an internal network, without TLS',
  PRIVATE_NETWORKS: 'the stack has one such host, postgres',
  GIT_COMMIT: 'it is written into the image',
  BUILD_TIME: 'it is written into the image',
  SHUTDOWN_GRACE: 'it is the stop_grace_period in compose.yml',
};
