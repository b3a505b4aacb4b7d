import { createHash } from 'node:crypto';
import { migrations as shippedMigrations } from '../migrations/index.js';
import { SEED_SQL, createSeedRows } from '../seed/seed-rows.js';
import { LEDGER_SQL } from './ledger.js';
import type { Migration } from './migration.js';

/** A data folder of another major version does not start. */
const SERVER_MAJOR = '18';

/** What decides the contents of a migrated and seeded database: the key of every cached template. */
export function migrationsHash(migrations: readonly Migration[] = shippedMigrations): string {
  const content = [SERVER_MAJOR, LEDGER_SQL, migrations.map(({ sha256 }) => sha256), SEED_SQL, createSeedRows()];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
