// The entry point: generators that write sources of the workspace. Not part of any image.
export { createProgram } from './app.js';
export { createBackfill } from './create-backfill.js';
export { assertNoBaseline, createBaseline } from './create-baseline.js';
export { createJob } from './create-job.js';
export { createLibrary } from './library.js';
export { createMigration } from './create-migration.js';
export { createProtection, type Visibility } from './create-protection.js';
export { createResource } from './resource.js';
export { createVariable } from './variable.js';
