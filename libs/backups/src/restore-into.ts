import type { DatabaseAddress } from '@airlock/config';
import { createDatabase, findBrokenBindings, readLocation, readStamp, withClient } from '@airlock/database/sessions';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { BackupError } from './problems/backup-error.js';
import { createContext, type RestoreOptions } from './backup-options.js';
import { findDifferences } from './contents/contents.js';
import { listTables, prepareSession, readContents } from './contents/read-contents.js';
import { readHeartbeat } from './heartbeat.js';
import type { BackupManifest } from './manifest.js';

export interface RestoreInput {
  /** A session of the administrator in another database of the server. */
  readonly admin: Client;
  readonly backup: BackupManifest;
  readonly dump: { load(into: DatabaseAddress): Promise<void> };
  /** A new name. */
  readonly database: string;
  readonly options: RestoreOptions;
  /** Of the database, from its beginning. */
  readonly comment: string;
}

/**
 * Restores a backup, whose dump was verified, into a new database, and compares the two. No role but its owner may connect to it, and its stamp is
 * still that of the original, so no process starts on it. If anything fails, the caller drops it.
 *
 * @returns the last sign of life of the original
 * @throws BackupError
 */
export async function restoreInto(input: RestoreInput): Promise<Date | null> {
  const { admin, backup, dump, database, options, comment } = input;
  await createDatabase(admin, database);
  await admin.query(`COMMENT ON DATABASE ${escapeIdentifier(database)} IS ${escapeLiteral(comment)}`);
  await admin.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(database)} FROM PUBLIC`);
  await createMissingRoles(admin, backup.roles);
  await dump.load({ ...options.admin, database });
  return assertRestored({ backup, database, options });
}

/** They cannot log in. `airlock db provision --adopt` gives a login to those that the configuration names. */
async function createMissingRoles(admin: Client, roles: readonly string[]): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT name FROM pg_catalog.unnest($1::text[]) AS name WHERE name NOT IN (SELECT rolname FROM pg_catalog.pg_roles)`,
    [roles],
  );
  for (const { name } of rows) await admin.query(`CREATE ROLE ${escapeIdentifier(name)} NOLOGIN`);
}

async function assertRestored({
  backup,
  database,
  options,
}: Pick<RestoreInput, 'backup' | 'database' | 'options'>): Promise<Date | null> {
  const restored = { ...options.admin, database };
  return withClient(restored, createContext(options, 'restore'), async (client) => {
    await prepareSession(client);
    const contents = await readContents(client, await listTables(client));
    const stamp = await readStamp(client);
    // By server and number: it is still to get its name, which may be that of the original on another server.
    const here = { ...(await readLocation(client)), databaseName: stamp?.databaseName ?? '' };
    const differences = [
      ...findDifferences(backup.contents, contents),
      ...(stamp?.environment === backup.environment
        ? []
        : [`the stamp is ${stamp?.environment ?? 'missing'}, and the backup is of ${backup.environment}`]),
      ...(stamp && findBrokenBindings(stamp, here).length === 0 ? ['its stamp says that it is an original'] : []),
    ];
    if (differences.length === 0) return readHeartbeat(client, backup);
    const text = `${backup.name}: the restored database differs; expected what was backed up`;
    throw new BackupError('differs', [text, ...differences.map((line) => `  ${line}`)].join('\n'));
  });
}
