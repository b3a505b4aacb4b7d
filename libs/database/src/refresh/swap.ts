import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { withClient } from '../connect/client.js';
import { IdentityError, readLocation, readStamp } from '../identity/stamp.js';
import type { ProvisionOptions } from '../provision/provision.js';
import { RefreshFailure, RefreshRefusal } from './refresh-errors.js';

/** The databases beside a target. No name is longer than the owner role's, so none is ever truncated. */
export const nextOf = (database: string) => `${database}_next`;
export const oldOf = (database: string) => `${database}_old`;
export const trialOf = (database: string) => `${database}_trial`;

const ATTEMPTS = 10;
const OBJECT_IN_USE = '55006';
const KICK_EVERY_MS = 50;

/**
 * Held by the session until it ends. A run that connects to another maintenance database is recognised by its sessions in
 * the unfinished database.
 *
 * @throws RefreshRefusal while a refresh or a rehearsal of this database runs
 */
export async function lockTarget(admin: Client, database: string): Promise<void> {
  const { rows } = await admin.query<{ got: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('airlock/refresh/' || $1, 0))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE datname = ANY ($2)) AS got`,
    [database, [nextOf(database), trialOf(database)]],
  );
  if (rows[0]?.got) return;
  throw new RefreshRefusal(
    'AnotherRefreshRuns',
    `database "${database}": another refresh or rehearsal of it runs; expected one at a time`,
  );
}

export interface Beside extends Pick<ProvisionOptions, 'admin' | 'app' | 'environment'> {
  readonly context: Parameters<typeof withClient>[1];
}

/**
 * Removes what earlier runs left: an unfinished database, and the one that the last run replaced.
 *
 * @throws RefreshRefusal if a database of either name is not one that a refresh made; then neither is removed
 */
export async function removeLeftovers(admin: Client, place: Beside): Promise<void> {
  const names = [nextOf(place.app.database), oldOf(place.app.database)];
  for (const name of names) await assertOurs(admin, { name, place });
  for (const name of names) await drop(admin, name);
}

export async function removeUnfinished(admin: Client, place: Beside): Promise<void> {
  const name = nextOf(place.app.database);
  await assertOurs(admin, { name, place });
  await drop(admin, name);
}

/** Removes the clone of a rehearsal. One that was killed early still has the stamp of the target. */
export async function removeTrial(admin: Client, place: Beside): Promise<void> {
  const name = trialOf(place.app.database);
  await assertOurs(admin, { name, place, mayBeClone: true });
  await drop(admin, name);
}

/** A stamp of this target that was written in this very database, or nothing yet: provisioning writes all or nothing. */
async function assertOurs(
  admin: Client,
  { name, place, mayBeClone = false }: { name: string; place: Beside; mayBeClone?: boolean },
): Promise<void> {
  const { rowCount } = await admin.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [name]);
  if (!rowCount) return;
  const { app, environment, context } = place;
  const { rows } = await admin.query<{ oid: number }>(
    'SELECT oid::pg_catalog.int8::pg_catalog.float8 AS oid FROM pg_catalog.pg_database WHERE datname = $1',
    [app.database],
  );
  const isOurs = await withClient({ ...place.admin, database: name }, context, async (client) => {
    const stamp = await readStamp(client);
    if (!stamp) return isEmpty(client);
    const { systemIdentifier, databaseOid } = await readLocation(client);
    return (
      stamp.environment === environment &&
      ['', name, app.database].includes(stamp.databaseName) &&
      stamp.systemIdentifier === systemIdentifier &&
      (stamp.databaseOid === databaseOid || (mayBeClone && stamp.databaseOid === rows[0]?.oid))
    );
  }).catch((error: unknown) => {
    if (error instanceof IdentityError) return false;
    throw error;
  });
  if (isOurs) return;
  throw new RefreshRefusal(
    'NameIsTaken',
    `database "${name}": was not made by a ${mayBeClone ? 'rehearsal' : 'refresh'} of "${app.database}"; expected no database of that name, which a ${mayBeClone ? 'rehearsal' : 'refresh'} needs\n` +
      `  rename it: ALTER DATABASE ${escapeIdentifier(name)} RENAME TO …`,
  );
}

/** Objects that are not of the system have numbers from 16384 on. */
async function isEmpty(client: Client): Promise<boolean> {
  const kinds = ['class', 'proc', 'type', 'namespace', 'extension', 'largeobject_metadata'];
  const made = kinds.map((kind) => `SELECT FROM pg_catalog.pg_${kind} WHERE oid >= 16384`);
  return (await client.query(made.join(' UNION ALL '))).rowCount === 0;
}

async function drop(admin: Client, name: string): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
}

/**
 * Renames both databases in one transaction, so that the name always has a database: the old one until the commit. The
 * rename holds off new sessions, which then reach the new one.
 */
export async function swap(admin: Client, { kicker, database }: { kicker: Client; database: string }): Promise<void> {
  const [name, next, old] = [database, nextOf(database), oldOf(database)].map(escapeIdentifier);
  const rename = `BEGIN; ALTER DATABASE ${name} RENAME TO ${old}; ALTER DATABASE ${next} RENAME TO ${name}; COMMIT`;
  await withoutSessions(admin, { kicker, database, statement: rename, work: 'replaced' });
}

/** A clone of the target, with its rows. Sessions that begin while its files are copied wait for that. */
export async function cloneAside(
  admin: Client,
  { kicker, database }: { kicker: Client; database: string },
): Promise<void> {
  const [name, trial] = [database, trialOf(database)].map(escapeIdentifier);
  // The other strategy would write every page of a large database to the log.
  const statement = `CREATE DATABASE ${trial} TEMPLATE ${name} STRATEGY FILE_COPY`;
  await admin.query('SET statement_timeout = 0');
  await withoutSessions(admin, { kicker, database, statement, work: 'cloned' });
}

/** Runs a statement that needs a database without sessions. `kicker` ends those that are open; their services connect again. */
async function withoutSessions(
  admin: Client,
  step: { kicker: Client; database: string; statement: string; work: string },
): Promise<void> {
  const { kicker, database, statement, work } = step;
  for (let attempt = 1; ; attempt += 1) {
    const stop = kickSessions(kicker, database);
    try {
      await admin.query(statement);
      return;
    } catch (error) {
      await admin.query('ROLLBACK');
      if (!(error instanceof DatabaseError) || error.code !== OBJECT_IN_USE || attempt === ATTEMPTS)
        throw new RefreshFailure(
          'SwapFailed',
          `database "${database}": could not be ${work}: ${(error as Error).message}; expected its sessions to end`,
          { cause: error },
        );
    } finally {
      await stop();
    }
  }
}

function kickSessions(kicker: Client, database: string): () => Promise<void> {
  let isOver = false;
  const kicking = (async () => {
    while (!isOver) {
      // A role that may not end a session is told so by the rename, which waits for it in vain.
      await kicker.query(KICK, [database]).catch(() => undefined);
      await sleep(KICK_EVERY_MS);
    }
  })();
  return () => {
    isOver = true;
    return kicking;
  };
}

const KICK = `
  SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
   WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'`;
