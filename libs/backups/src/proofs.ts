import { assertIdentity, withClient } from '@airlock/database/sessions';
import { type Client, escapeIdentifier } from 'pg';
import { refuse } from './problems/backup-error.js';
import { type BackupOptions, createClaim, createContext } from './backup-options.js';
import type { Recovery } from './heartbeat.js';
import type { BackupManifest } from './manifest.js';

/** The names of backups that a drill has restored, the newest backup first. */
export async function listProved(client: Client): Promise<string[]> {
  if (!(await hasTable(client))) return [];
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM ops.restorable_backups ORDER BY taken_at DESC',
  );
  return rows.map(({ name }) => name);
}

/** When a drill last proved a backup, whichever it was. */
export async function findLastProof(client: Client): Promise<Date | undefined> {
  if (!(await hasTable(client))) return undefined;
  const { rows } = await client.query<{ at: Date | null }>('SELECT max(proved_at) AS at FROM ops.restorable_backups');
  return rows[0]?.at ?? undefined;
}

/** Before hours of restoring. @throws IdentityError, BackupError missing-rights */
export async function assertRecordable(options: BackupOptions): Promise<void> {
  await withDatabase(options, async (client) => {
    if (!(await hasTable(client, 'ops.heartbeat')))
      throw refuse(
        'missing-rights',
        `database "${String(client.database)}": was migrated by an earlier release, without ops.heartbeat\n  airlock db migrate`,
      );
    await becomeOwner(client);
  });
}

export async function recordProof(
  options: BackupOptions,
  { name, takenAt }: BackupManifest,
  { heartbeatAt, recoveryTimeMs }: Recovery,
): Promise<void> {
  await withDatabase(options, async (client) => {
    await becomeOwner(client);
    await client.query(
      `INSERT INTO ops.restorable_backups (name, taken_at, heartbeat_at, restore_ms) VALUES ($1, $2, $3, $4)
       ON CONFLICT (name) DO UPDATE SET proved_at = pg_catalog.clock_timestamp(), restore_ms = excluded.restore_ms`,
      [name, takenAt, heartbeatAt, recoveryTimeMs],
    );
  });
}

async function withDatabase(options: BackupOptions, use: (client: Client) => Promise<void>): Promise<void> {
  const database = { ...options.admin, database: options.app.database };
  await withClient(database, createContext(options, 'drill'), async (client) => {
    await assertIdentity(client, createClaim(options));
    await use(client);
  });
}

/** The tables of schema ops belong to the role that owns schema public. */
async function becomeOwner(client: Client): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT pg_catalog.pg_get_userbyid(relowner)::text AS owner FROM pg_catalog.pg_class
      WHERE oid = pg_catalog.to_regclass('ops.restorable_backups')`,
  );
  await client.query(`SET ROLE ${escapeIdentifier(rows[0]!.owner)}`);
}

/**
 * Notes in the database which backups are stored, for those who have no key of the storage. The role of a backup may read
 * everything and still not write this.
 *
 * @returns false if nothing was noted: the role may not become the owner, or an earlier release has migrated the database
 */
export async function recordStored(
  client: Client,
  { backup, removed }: { backup: BackupManifest; removed: readonly string[] },
): Promise<boolean> {
  if (!(await mayRecord(client))) return false;
  await becomeOwner(client);
  await client.query('DELETE FROM ops.backups WHERE name = ANY ($1)', [removed]);
  await client.query('INSERT INTO ops.backups (name, taken_at, is_doubtful) VALUES ($1, $2, $3)', [
    ...[backup.name, backup.takenAt, backup.doubts.length > 0],
  ]);
  return true;
}

async function mayRecord(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean | null }>(
    `SELECT pg_catalog.pg_has_role(session_user, relowner, 'SET') AS may FROM pg_catalog.pg_class
      WHERE oid = pg_catalog.to_regclass('ops.backups')`,
  );
  return rows[0]?.may === true;
}

async function hasTable(client: Client, name = 'ops.restorable_backups'): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`SELECT pg_catalog.to_regclass($1) IS NOT NULL AS found`, [
    name,
  ]);
  return rows[0]?.found === true;
}
