/** The parts of a model. Loads neither a driver nor an ORM. */
export { type Backfill, defineBackfill } from './backfill.js';
export { type Classes, classify, constant, identifier, inCopy, json, person, personal } from './column-classes.js';
export { clipIdentifier, LONGEST_IDENTIFIER_BYTES, parseIdentifier } from './identifier.js';
export { jobsSchema } from './jobs-schema.js';
export { BLOCKS_WRITES, describeMode, EXCLUSIVE } from './lock-modes.js';
export {
  assertNoTransactionControl,
  defineMigration,
  type Migration,
  MIGRATION_NAME,
  type MigrationPhase,
  type MigrationStatement,
} from './migration.js';
export { MigrationError } from './migration-error.js';
export type { Model } from './product-model.js';
export { defineSeeds, SEED_SIZES, type Seeds, type TableSeeds, TEST_SEED_SIZE } from './define-seeds.js';
export { SYSTEM_ROLE } from './system-role.js';
