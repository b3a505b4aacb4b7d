import { lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterMark, readClusterMark } from './cluster-mark.js';
import { isLocked } from './folder-lock.js';
import { isStartedByUs } from './occupancy.js';
import { findPostgresIn } from './postgres-processes.js';
import { identifyThisProcess, identifyProcess, isSameProcessAlive, type ProcessIdentity } from './process-identity.js';
import { readRunFile } from './run-file.js';
import { identifySystem, compareSystem, type SystemIdentity } from './system-identity.js';

const POLL_MS = 20;
const SIGNAL_LIMIT_MS = 10_000;
const OWNER_FILE = 'airlock-owner.json';

/**
 * Requests a fast shutdown, then an immediate one, of a server that we started in this folder. Never signals by pid
 * alone, because pids are reused. Its watchdog, if alive, does the same.
 */
export async function endServer(pid: number, { dataDir, mark }: { dataDir: string; mark: ClusterMark }): Promise<void> {
  const isRunning = () =>
    findPostgresIn(dataDir).some((server) => server.pid === pid && server.isServer && isStartedByUs(server, mark));
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isRunning()) return;
    signalIfAlive(pid, signal);
    for (let waitedMs = 0; waitedMs < SIGNAL_LIMIT_MS; waitedMs += POLL_MS) {
      if (!isRunning()) return;
      await sleep(POLL_MS);
    }
  }
}

/** A name that contains the owner of the folder, so that a dead owner is recognised. */
export function nameOwnedFolder(purpose: string): string {
  const { pid, startedAt } = identifyThisProcess();
  folderCount += 1;
  return `${purpose}-${pid}-${startedAt.replaceAll(/\W+/g, '_')}-${folderCount}`;
}
let folderCount = 0;

interface FolderOwner {
  readonly name: string;
  readonly owner: ProcessIdentity;
  readonly system: SystemIdentity;
}

/** Creates a folder that is swept after this process has died. @returns its path */
export function createOwnedFolder(parent: string, purpose: string): string {
  const name = nameOwnedFolder(purpose);
  const path = join(parent, name);
  mkdirSync(path, { mode: 0o700 });
  const content: FolderOwner = { name, owner: identifyThisProcess(), system: identifySystem() };
  writeFileSync(join(path, OWNER_FILE), JSON.stringify(content), { mode: 0o600 });
  return path;
}

/** From now on the folder is kept after this process has died. */
export function keepOwnedFolder(folder: string): void {
  rmSync(join(folder, OWNER_FILE), { force: true });
}

/**
 * Removes folders that were named by `nameOwnedFolder` and whose owners have died. A name alone proves nothing: the
 * folder must contain our mark, or be empty, and no process may use it.
 */
export async function sweepOwnedFolders(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    const namedOwner = parseOwner(name);
    const path = join(parent, name);
    if (!namedOwner || !lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) continue;
    const mark = readClusterMark(path);
    const claim = readOwner(path, name) ?? (mark && readRunFile(path));
    if (claim ? !isDead(claim) : isNamedAlive(namedOwner)) continue;
    if (mark) await endServers(path, mark);
    if (claim || mark) removeUnused(path);
    else removeIfEmpty(path);
  }
}

interface NamedOwner {
  readonly pid: number;
  readonly startedAt: string;
}

function parseOwner(name: string): NamedOwner | undefined {
  const [, pid, startedAt = ''] = /^[a-z]+-(\d+)-(\w+)-\d+$/.exec(name) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), startedAt };
}

function isNamedAlive({ pid, startedAt }: NamedOwner): boolean {
  return identifyProcess(pid)?.startedAt.replaceAll(/\W+/g, '_') === startedAt;
}

/** @returns undefined for a file that was copied with another folder */
function readOwner(path: string, name: string): FolderOwner | undefined {
  try {
    const content = JSON.parse(readFileSync(join(path, OWNER_FILE), 'utf8')) as FolderOwner;
    return content.name === name ? content : undefined;
  } catch {
    return undefined;
  }
}

function isDead({ owner, system }: Pick<FolderOwner, 'owner' | 'system'>): boolean {
  const relation = compareSystem(system);
  return relation === 'here' ? !isSameProcessAlive(owner) : relation === 'before reboot';
}

async function endServers(dataDir: string, mark: ClusterMark): Promise<void> {
  for (const { pid } of findPostgresIn(dataDir)) await endServer(pid, { dataDir, mark });
}

/** Other processes may sweep at the same time. */
function removeUnused(path: string): void {
  if (!isLocked(path) && findPostgresIn(path).length === 0) rmSync(path, { recursive: true, force: true });
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It contains a file that we did not create, or is already removed.
  }
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
