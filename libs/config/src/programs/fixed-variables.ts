/**
 * Variables that the settings file of a stack (docker/settings/ENVIRONMENT.env) must not set, and the reason. Every
 * other variable that a program reads is passed to it.
 */
export const FIXED_IN_STACKS: Readonly<Record<string, string>> = {
  ENVIRONMENT: 'the overlay belongs to one environment',
  TESTING: 'ENVIRONMENT already determines it',
  HOST: 'the service must listen on every address of its container for the edge',
  PORT: 'the edge and the health checks use port 8000, 8182 for the callback and 3128 for the proxy',
  CALLBACK_URL: 'the edge serves the callback under the name of the API',
  DATABASE_SERVER: 'the database is a separate service',
  DATABASE_SSL_CA: 'the database of the stack is on an internal network, without TLS',
  PRIVATE_NETWORKS: 'the only such host of the stack is postgres',
  GIT_COMMIT: 'it is written into the image',
  BUILD_TIME: 'it is written into the image',
  OUTBOUND_PROXY: 'the proxy is a service of the stack',
  BACKUP_TOOLS: 'the image contains the tools',
  SHUTDOWN_GRACE: 'it is the stop_grace_period in compose.yml',
  COMPOSE_PROJECT_NAME: 'the command names the project',
  COMPOSE_FILE: 'the command selects the Compose files',
  COMPOSE_ENV_FILES: 'the command selects the settings file',
};
