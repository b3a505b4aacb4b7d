/** What a model is made of. Loads neither a driver nor an ORM. */
export type { ColumnRule, Columns } from './columns.js';
export { clipIdentifier, LONGEST_IDENTIFIER_BYTES, parseIdentifier } from './identifier.js';
export {
  assertNoTransactionControl,
  defineMigration,
  type Migration,
  MIGRATION_NAME,
  MigrationError,
  type Phase,
  type Statement,
} from './migration.js';
export type { Model } from './model.js';
export type { SeedRow, SeedRows } from './seed-rows.js';
