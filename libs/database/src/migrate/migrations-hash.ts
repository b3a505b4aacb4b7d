import { createHash } from 'node:crypto';
import { LEDGER_SQL } from './ledger.js';
import type { Model } from '../model/product-model.js';
import { DEFAULT_SEED_ROWS } from '../model/seed-row.js';

/** PostgreSQL does not start on a data folder of another major version. */
const SERVER_MAJOR = '18';

/** Hashes everything that decides the contents of a migrated and seeded database: the key of every cached template. */
export function migrationsHash({ migrations, seedRows }: Pick<Model, 'migrations' | 'seedRows'>): string {
  const rows = Array.from({ length: DEFAULT_SEED_ROWS }, (_, index) => seedRows.createRow(index));
  const content = [SERVER_MAJOR, LEDGER_SQL, migrations.map(({ sha256 }) => sha256), seedRows.sql, rows];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
