import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  closeSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { loadBinaries } from './binaries.js';
import { nameOwnedFolder, sweepOwnedFolders } from './leftovers.js';
import { chooseIdentity, giveTo } from './unprivileged.js';
import { startGuarded } from './watchdog.js';

const PASSWORD_FILE = 'superuser-password';

export const SUPERUSER = 'postgres';

/** Makes the folder when it is absent: whole or not at all, whoever else is making it and whenever we are killed. */
export async function ensureDataFolder(dataDir: string, { durable }: { durable: boolean }): Promise<void> {
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  const parent = dirname(dataDir);
  mkdirSync(parent, { recursive: true });
  await sweepOwnedFolders(parent);
  const unfinished = join(parent, nameOwnedFolder('unfinished'));
  try {
    await initialise(unfinished, { durable });
    renameSync(join(unfinished, 'data'), dataDir);
  } catch (error) {
    // Somebody else may have been faster: rename() refuses a folder that is not empty.
    if (!existsSync(join(dataDir, 'PG_VERSION'))) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

export function readSuperuserPassword(dataDir: string): string {
  return readFileSync(join(dataDir, PASSWORD_FILE), 'utf8').trim();
}

/** The number PostgreSQL gave this cluster when it was made: the first field of its control file. */
export function readSystemIdentifier(dataDir: string): string {
  const file = openSync(join(dataDir, 'global/pg_control'), 'r');
  try {
    const field = Buffer.alloc(8);
    readSync(file, field);
    return field.readBigUInt64LE().toString();
  } finally {
    closeSync(file);
  }
}

async function initialise(folder: string, { durable }: { durable: boolean }): Promise<void> {
  const { initdb } = await loadBinaries();
  const identity = chooseIdentity();
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const logFile = join(folder, 'log');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  for (const path of [folder, passwordFile]) giveTo(identity, path);
  const { ended } = startGuarded({
    command: [...identity.prefix, initdb, ...listInitdbArguments(data, passwordFile, durable)],
    cwd: folder,
    logFile,
    stopSignal: 'TERM',
    removeFolder: folder,
    isAwaited: true,
  });
  if ((await ended) !== 0) throw new Error(`initdb failed in ${folder}:\n${readFileSync(logFile, 'utf8')}`);
  renameSync(passwordFile, join(data, PASSWORD_FILE));
}

/** The builtin C.UTF-8 sorts alike on every platform and in every image; the system's own locales do not. */
function listInitdbArguments(folder: string, passwordFile: string, durable: boolean): string[] {
  return [
    `--pgdata=${folder}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    // Otherwise an interrupted initdb leaves its shared memory in /dev/shm.
    '--set=dynamic_shared_memory_type=mmap',
    // Small WAL segments make a small folder, which is copied at the start of each test run.
    ...(durable ? [] : ['--no-sync', '--wal-segsize=1', '--set=scram_iterations=1']),
  ];
}
