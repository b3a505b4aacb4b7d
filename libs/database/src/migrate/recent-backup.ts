import type { Config } from '@airlock/config';
import type { Client } from 'pg';
import { MigrationRefusal } from '../model/migration-error.js';
import { hasTable } from '../runner/ledger.js';

const HOUR_MS = 3_600_000;

export interface StoredBackup {
  readonly name: string;
  readonly takenAt: Date;
  readonly ageMs: number;
}

/** The newest backup without doubts, by the record that `airlock db backup` keeps, and its age by the clock of the server. */
export async function findStoredBackup(client: Client): Promise<StoredBackup | undefined> {
  if (!(await hasTable(client, 'ops.backups'))) return undefined;
  const { rows } = await client.query<StoredBackup>(
    `SELECT name, taken_at AS "takenAt", 1000 * extract(epoch FROM clock_timestamp() - taken_at)::float8 AS "ageMs"
       FROM ops.backups WHERE NOT is_doubtful ORDER BY taken_at DESC LIMIT 1`,
  );
  return rows[0];
}

/**
 * The migrator has no key of the storage, so it believes the record. In a database without migrations there is nothing
 * to back up.
 *
 * @throws MigrationRefusal unless a backup is as young as MIGRATION_BACKUP_AGE says
 */
export async function assertBackedUp(
  client: Client,
  { config, pending, applied }: { config: Config; pending: readonly unknown[]; applied: readonly unknown[] },
): Promise<void> {
  const { ageForMigrationMs: mostMs } = config.backups;
  if (mostMs === undefined || pending.length === 0 || applied.length === 0) return;
  const newest = await findStoredBackup(client);
  if (newest && newest.ageMs <= mostMs) return;
  const found = newest
    ? `its newest backup is ${inHours(newest.ageMs)} old (${newest.name})`
    : 'no backup of it is recorded';
  throw new MigrationRefusal(
    `database "${String(client.database)}": ${found}, and ${pending.length === 1 ? '1 migration is' : `${pending.length} migrations are`} pending; expected one that is at most ${inHours(mostMs)} old (MIGRATION_BACKUP_AGE)\n` +
      '  airlock db backup   # where BACKUP_URL is set; then migrate again',
  );
}

function inHours(ms: number): string {
  return `${(ms / HOUR_MS).toFixed(1)} h`;
}
