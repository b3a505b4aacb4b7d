// The door for the workspace: generators that write sources. None of it is in an image.
export { createLibrary, type CreatedLibrary } from './library.js';
export { createMigration } from './create-migration.js';
export { createResource, type CreatedResource } from './resource.js';
export { createVariable, type CreatedVariable } from './variable.js';
