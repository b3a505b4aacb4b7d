import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, readFileSync, realpathSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DatabaseAddress, Secret } from '@airlock/config';
import { withClient } from '@airlock/database/sessions';
import { BackupError, refuse } from '../problems/backup-error.js';
import { type ThrowAwayServer, PREFIX, removeAbandoned, serverUser, startThrowAway } from './guard.js';

export interface ServerOptions {
  /** The server gets a folder in it, which only its user can enter. */
  readonly parent: string;
  /** The folder of initdb and postgres; the search path by default. */
  readonly tools: string | undefined;
  readonly context: Parameters<typeof withClient>[1];
}

/**
 * Rows that are restored run code of the owners of their tables, in checks and domains, and so does reading a view. A
 * superuser's session would let that code start programs, so only the creation of this role has one.
 */
const RESTORER = 'airlock_restorer';

const MIB = 1024 ** 2;
/** An empty cluster, and the journal of a restore. */
const SERVER_BYTES = 256 * MIB;
const PORT = 5432;
/** `sun_path` of unix(7), without its last byte. */
const MAX_SOCKET_BYTES = 107;
const START_LIMIT_MS = 120_000;
const POLL_MS = 20;

/**
 * An empty PostgreSQL for as long as `use` runs. It listens on a socket in its own folder only. It ends, and its folder
 * is removed, however this process ends.
 *
 * @param use gets a role that may create roles and databases, and has no other right on the server
 * @throws BackupError server-failed
 */
export async function withServer<T>(
  { parent, tools, context }: ServerOptions,
  use: (restorer: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const place = realpathSync(parent);
  removeAbandoned(place);
  const folder = mkdtempSync(join(place, PREFIX));
  const password = randomBytes(24).toString('hex');
  writeFileSync(join(folder, 'password'), password, { mode: 0o600 });
  const user = serverUser();
  if (user !== undefined) for (const path of [join(folder, 'password'), folder]) chownSync(path, user, user);
  const server = startThrowAway(folder, tools);
  try {
    await waitUntilReady(server, folder);
    const login = { user: 'postgres', password: new Secret(password), sslMode: 'disable' } as const;
    const superuser = { ...login, host: folder, port: PORT, database: 'postgres' };
    const create = `CREATE ROLE ${RESTORER} LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD '${password}'`;
    await withClient(superuser, context, (client) => client.query(create));
    return await use({ ...superuser, user: RESTORER });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws BackupError unfit-folder for a folder without room for the database, or with too long a path */
export function assertRoomFor({ name, bytes }: { name: string; bytes: number }, parent: string): void {
  const expected = Math.ceil((bytes * 1.25 + SERVER_BYTES) / MIB);
  const [problem, needed] = findUnfitness(parent, expected) ?? [];
  if (problem === undefined) return;
  const fix = 'airlock db refresh --folder /a/folder/with/room   # by default the folder for temporary files';
  throw refuse('unfit-folder', `${parent}: ${problem}; expected ${needed} for the server with ${name}\n  ${fix}`);
}

function findUnfitness(parent: string, neededMib: number): [string, string] | undefined {
  try {
    const place = realpathSync(parent);
    const { bavail, bsize } = statfsSync(place);
    const freeMib = Math.floor((bavail * bsize) / MIB);
    // One ends an address in a list of libpq, the other one a path in a list of the server.
    if (/[,"]/.test(place)) return ['has a comma or a quotation mark in its path', 'a path without them'];
    if (freeMib < neededMib) return [`has ${freeMib} MiB free`, `${neededMib} MiB`];
    const length = Buffer.byteLength(join(place, `${PREFIX}XXXXXX/.s.PGSQL.${PORT}`));
    return length > MAX_SOCKET_BYTES ? ['has a long path', 'room in the path of a socket'] : undefined;
  } catch (error) {
    return [`cannot be read (${(error as NodeJS.ErrnoException).code})`, 'a folder'];
  }
}

async function waitUntilReady(server: ThrowAwayServer, folder: string): Promise<void> {
  let hasEnded = false;
  void server.ended.then(() => (hasEnded = true));
  for (let waitedMs = 0; waitedMs < START_LIMIT_MS && !hasEnded; waitedMs += POLL_MS) {
    if (readState(folder) === 'ready') return;
    await sleep(POLL_MS);
  }
  // Nothing was restored yet, so no row is in it.
  const lines = server.readLog().trim().split('\n').slice(-3).join('\n  ');
  throw new BackupError('server-failed', `the throw-away PostgreSQL did not start; its log ends with\n  ${lines}`);
}

/** The eighth line of the file that a server keeps in its folder. */
function readState(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[7]?.trim();
  } catch {
    return undefined;
  }
}
