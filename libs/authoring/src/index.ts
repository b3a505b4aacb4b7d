// The door for the workspace: generators that write sources. None of it is in an image.
export { createLibrary } from './library.js';
export { createMigration } from './create-migration.js';
export { createResource } from './resource.js';
export { createVariable } from './variable.js';
