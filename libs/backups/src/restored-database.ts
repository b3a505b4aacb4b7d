import { randomBytes } from 'node:crypto';
import type { DatabaseAddress } from '@airlock/config';
import { withClient } from '@airlock/database/sessions';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { createContext, type RestoreOptions } from './backup-options.js';
import { prepareSession } from './contents/read-contents.js';
import { tryLock } from './hold-lock.js';
import type { BackupManifest } from './manifest.js';
import { restoreInto } from './restore-into.js';
import { type StoredDump, verifyDump } from './stored-dump.js';
import { assertTools } from './tools/assert-tools.js';

const PREFIX = 'airlock_restore_';
/** The name alone does not make a database ours to drop. */
const MARK = 'airlock: an unfinished restore; dropped by the next one';

/** A session of the administrator in another database of the server, and the address of the restored one. */
export interface Restored {
  readonly admin: Client;
  readonly address: DatabaseAddress;
  /** The last sign of life of the original; null in a backup of a release that wrote none. */
  readonly heartbeatAt: Date | null;
}

/**
 * Restores a backup into a throw-away database for as long as `use` runs, or until `keepAs` has renamed it. No process
 * can start on it: its stamp is that of the original. A dump that is handed over was verified.
 *
 * @throws BackupError
 */
export async function withRestored<T>(
  options: RestoreOptions,
  { backup, dump: verified }: { backup: BackupManifest; dump?: StoredDump },
  use: (restored: Restored) => Promise<T>,
): Promise<T> {
  const database = `${PREFIX}${randomBytes(6).toString('hex')}`;
  return withClient(options.admin, createContext(options, 'restore'), async (admin) => {
    await prepareSession(admin);
    await dropLeftovers(admin);
    await tryLock(admin, database);
    let result: T;
    try {
      await assertTools(await readMajor(admin), options.tools);
      const dump = verified ?? (await verifyDump(backup, options));
      const heartbeatAt = await restoreInto({ admin, backup, dump, database, options, comment: MARK });
      result = await use({ admin, address: { ...options.admin, database }, heartbeatAt });
    } catch (error) {
      // If the server is lost, the next restore drops it.
      await dropDatabase(admin, database).catch(() => undefined);
      throw error;
    }
    await dropDatabase(admin, database);
    return result;
  });
}

/** From here on it is not ours to drop. @throws Error if a database of that name exists */
export async function keepAs(
  { admin, address: { database } }: Pick<Restored, 'admin' | 'address'>,
  name: string,
): Promise<void> {
  await admin.query(`ALTER DATABASE ${escapeIdentifier(database)} RENAME TO ${escapeIdentifier(name)}`);
  await admin.query(`COMMENT ON DATABASE ${escapeIdentifier(name)} IS NULL`);
}

/** Of processes that were killed: the lock ends with their session. */
async function dropLeftovers(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT datname::text AS name FROM pg_catalog.pg_database
      WHERE datname ~ '^${PREFIX}[0-9a-f]{12}$' AND pg_catalog.shobj_description(oid, 'pg_database') = ${escapeLiteral(MARK)}`,
  );
  for (const { name } of rows) if (await tryLock(admin, name)) await dropDatabase(admin, name);
}

async function dropDatabase(admin: Client, database: string): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(database)} WITH (FORCE)`);
}

async function readMajor(client: Client): Promise<number> {
  const { rows } = await client.query<{ version: string }>(
    `SELECT pg_catalog.current_setting('server_version_num') AS version`,
  );
  return Math.floor(Number(rows[0]?.version) / 10_000);
}
