import { createHash } from 'node:crypto';
import { LEDGER_SQL } from '../runner/ledger.js';
import type { Model } from '../model/product-model.js';
import { TEST_SEED_SIZE } from '../model/define-seeds.js';
import { previewRows } from '../seed/create-rows.js';

/** PostgreSQL does not start on a data folder of another major version. */
const SERVER_MAJOR = '18';

/** Hashes everything that decides the contents of a migrated and seeded database: the key of every cached template. */
export function migrationsHash({
  migrations,
  backfills,
  seeds,
}: Pick<Model, 'migrations' | 'backfills' | 'seeds'>): string {
  const changes = [...migrations, ...backfills].map(({ sha256 }) => sha256);
  const content = [SERVER_MAJOR, LEDGER_SQL, changes, previewRows(seeds, TEST_SEED_SIZE)];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
