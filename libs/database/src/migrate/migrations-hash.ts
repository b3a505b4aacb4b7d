import { createHash } from 'node:crypto';
import { LEDGER_SQL } from '../runner/ledger.js';
import type { Model } from '../model/product-model.js';
import { DEFAULT_SEED_ROWS } from '../model/seed-row.js';

/** PostgreSQL does not start on a data folder of another major version. */
const SERVER_MAJOR = '18';

/** Hashes everything that decides the contents of a migrated and seeded database: the key of every cached template. */
export function migrationsHash({
  migrations,
  backfills,
  seedRows,
}: Pick<Model, 'migrations' | 'backfills' | 'seedRows'>): string {
  const rows = Array.from({ length: DEFAULT_SEED_ROWS }, (_, index) => seedRows.createRow(index));
  const changes = [...migrations, ...backfills].map(({ sha256 }) => sha256);
  const content = [SERVER_MAJOR, LEDGER_SQL, changes, seedRows.sql, rows];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
