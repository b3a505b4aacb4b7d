/** What a model is made of. Loads neither a driver nor an ORM. */
export type { ColumnRule, Columns } from './columns.js';
export { defineMigration, MIGRATION_NAME, type Migration } from './migration.js';
export type { Model } from './model.js';
export type { SeedRow, SeedRows } from './seed-rows.js';
