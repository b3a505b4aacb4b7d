export { badEnvironments, type BadEnvironment } from './bad-environments.js';
export { FOLDER, withFolder, type FolderContent } from './folder.js';
export { findFreePort, findFreePorts } from './free-port.js';
export { goodEnvironments } from './good-environments.js';
export { withHeldPort } from './held-port.js';
export { skipUnless } from './skip-unless.js';
