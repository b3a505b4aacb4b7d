/** For programs that read no configuration, such as those that deploy: loading its schema takes longer than they run. */
export { ENVIRONMENTS, type Environment, environmentsWith, environmentsWithout } from './values/environment.js';
export { isEnvironment, listNames, STRICT_TRAITS, traitsOf } from './values/environment.js';
export type { EnvironmentVariables } from './values/environment-variables.js';
export { FIXED_IN_STACKS } from './programs/fixed-variables.js';
export { readProcessEnvironment } from './sources/process-environment.js';
export { Secret } from './values/secret.js';
export { readUserName } from './values/user-name.js';
