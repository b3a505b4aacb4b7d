import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadBinaries } from './binaries.js';
import { createClusterMark, ensureClusterMark } from './cluster-mark.js';
import { FolderRefusal } from './folder-refusal.js';
import { createOwnedFolder, sweepOwnedFolders } from './leftovers.js';
import { assertPlainFolder, listFolder, proposeMovingAside, refuseUnusable } from './own-folder.js';
import { chooseIdentity, chooseInitdbPrefix, changeOwner } from './unprivileged.js';
import { startGuarded } from './watchdog.js';

const PASSWORD_FILE = 'superuser-password';

export const SUPERUSER = 'postgres';

/**
 * Creates the folder when it is absent or empty. Atomic, even if another process creates it too or this one is killed.
 *
 * @throws FolderRefusal for a link, for a folder that is not ours, and for a folder that is not a data folder
 */
export async function ensureDataFolder(dataDir: string, { durable }: { durable: boolean }): Promise<void> {
  if (hasDataFolder(dataDir)) return;
  const parent = dirname(dataDir);
  makeParent(parent);
  await sweepOwnedFolders(parent);
  const unfinished = createOwnedFolder(parent, 'unfinished');
  try {
    await initialise(unfinished, { durable });
    renameSync(join(unfinished, 'data'), dataDir);
  } catch (error) {
    // Another process may have been faster: rename() refuses a folder that is not empty.
    if (!hasDataFolder(dataDir)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

export function readSuperuserPassword(dataDir: string): string {
  return readFileSync(join(dataDir, PASSWORD_FILE), 'utf8').trim();
}

function hasDataFolder(dataDir: string): boolean {
  if (!assertPlainFolder(dataDir)) return false;
  const names = listFolder(dataDir);
  if (names.includes('PG_VERSION')) return true;
  if (names.length === 0) return false;
  throw new FolderRefusal(dataDir, `holds ${names[0]} and no PostgreSQL`, {
    expected: 'an empty folder, or one that this workspace made',
    fix: proposeMovingAside(dataDir),
  });
}

function makeParent(parent: string): void {
  try {
    mkdirSync(parent, { recursive: true });
    accessSync(parent, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refuseUnusable(parent, error);
  }
}

async function initialise(folder: string, { durable }: { durable: boolean }): Promise<void> {
  const { initdb } = await loadBinaries();
  const identity = chooseIdentity();
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const logFile = join(folder, 'log');
  writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  for (const path of [folder, passwordFile]) changeOwner(identity, path);
  const { ended } = startGuarded({
    command: [...chooseInitdbPrefix(), initdb, ...listInitdbArguments(data, passwordFile, durable)],
    cwd: folder,
    logFile,
    stopSignal: 'TERM',
    removeFolder: folder,
    isAwaited: true,
  });
  if ((await ended) !== 0) throw new Error(`initdb failed in ${folder}:\n${readFileSync(logFile, 'utf8')}`);
  renameSync(passwordFile, join(data, PASSWORD_FILE));
  ensureClusterMark(data, createClusterMark(data));
}

/** The builtin C.UTF-8 sorts the same on every platform and in every image; the system's own locales do not. */
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
    ...(durable ? [] : ['--no-sync', '--wal-segsize=1']),
  ];
}

/** The inputs of a data folder as text: a cached copy stays valid as long as this text does not change. */
export function readDataFolderRules(): string {
  return readFileSync(new URL(import.meta.url), 'utf8');
}
