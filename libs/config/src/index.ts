export { ConfigError, type Violation } from './config-error.js';
export type { Config } from './create-config.js';
export { AddressError, parseDatabaseUrl, type DatabaseAddress, type SslMode } from './database-url.js';
export { ENVIRONMENTS, type Environment } from './environment.js';
export { loadConfig, type LoadOptions } from './load-config.js';
export { readProcessEnvironment, type EnvironmentVariables } from './process-environment.js';
export { Secret } from './secret.js';
