import type { ClientBase } from 'pg';
import { migrations as shippedMigrations } from '../migrations/index.js';
import { loadLedger } from './ledger.js';
import type { Migration } from './migration.js';

/** The last migration that this code knows. */
export function schemaHead(): string {
  return shippedMigrations.at(-1)?.name ?? '';
}

/** What this code knows and the database lacks. */
export async function pendingMigrations(
  client: ClientBase,
  migrations: readonly Migration[] = shippedMigrations,
): Promise<readonly Migration[]> {
  const applied = new Set((await loadLedger(client)).map(({ name }) => name));
  return migrations.filter(({ name }) => !applied.has(name));
}
