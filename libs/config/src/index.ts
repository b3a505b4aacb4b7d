/** The type and values of a configuration. Loads no schema, so that programs without a configuration start fast. */
export { ConfigError } from './values/config-error.js';
export type { Config } from './load/create-config.js';
export { isTestDatabaseName, maxDatabaseNameBytes } from './values/database-names.js';
export { describeDatabase, parseDatabaseUrl, type DatabaseAddress } from './values/database-url.js';
export { ENVIRONMENTS, type Environment, environmentsWith, environmentsWithout } from './values/environment.js';
export { isEnvironment, listNames, STRICT_TRAITS, traitsOf } from './values/environment.js';
export type { EnvironmentVariables } from './values/environment-variables.js';
export { readProcessEnvironment } from './sources/process-environment.js';
export { FAKE } from './values/fake.js';
export { canonicalHost, isListed } from './values/hosts.js';
export { mailDomainOf, MAIL_ADDRESS } from './values/mail-address.js';
export { Secret } from './values/secret-value.js';
export type { BucketAddress, StorageAddress } from './values/storage-url.js';
export { findMisspelt } from './variables/misspelling.js';
export { FIXED_IN_STACKS } from './programs/fixed-variables.js';
export { type Program, type ProgramName, programNames, PROGRAMS } from './programs/programs.js';
export { findUserIdProblem, USER_ID_RULE } from './values/user-id.js';
export { readUserName } from './values/user-name.js';
