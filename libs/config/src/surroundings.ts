/** For programs that read no configuration, such as those that deploy: loading its schema takes longer than they run. */
export { ENVIRONMENTS, type Environment } from './environment.js';
export { readProcessEnvironment, type EnvironmentVariables } from './process-environment.js';
export { Secret } from './secret.js';
export { readUserName } from './user-name.js';
