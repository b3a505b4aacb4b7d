import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  identifyOurselves,
  identifyProcess,
  isPostmasterOf,
  isSameProcessAlive,
  type ProcessIdentity,
} from './process-identity.js';
import { readPostmaster, readRunFile, removePostmasterFile } from './run-file.js';

const POLL_MS = 20;

/** The live process that owns the folder's cluster, or undefined when the folder may be taken. */
export function findLiveOwner(dataDir: string): ProcessIdentity | undefined {
  const owner = readRunFile(dataDir)?.owner;
  return owner && isSameProcessAlive(owner) ? owner : undefined;
}

/**
 * Ends what a dead owner left running in the folder. Never signals by pid alone: a marked pid may
 * by now be another's, or the folder a copy of one in use elsewhere, so the process must work in this very folder.
 */
export async function clearLeftovers(dataDir: string): Promise<void> {
  const postmaster = readPostmaster(dataDir);
  if (postmaster) {
    await endPostmaster(postmaster.pid, dataDir);
    removePostmasterFile(dataDir);
  }
}

/** Asks for a fast shutdown, then for an immediate one. Its watchdog, if alive, is doing the same. */
export async function endPostmaster(pid: number, dataDir: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isPostmasterOf(pid, dataDir)) return;
    process.kill(pid, signal);
    for (let waitedMs = 0; waitedMs < 10_000; waitedMs += POLL_MS) {
      if (!isPostmasterOf(pid, dataDir)) return;
      await sleep(POLL_MS);
    }
  }
}

/** A name that says whose the folder is, so that anyone can tell when it is nobody's any more. */
export function nameOwnedFolder(purpose: string): string {
  const { pid, startedAt } = identifyOurselves();
  folderCount += 1;
  return `${purpose}-${pid}-${startedAt.replaceAll(/\W+/g, '_')}-${folderCount}`;
}
let folderCount = 0;

/** Removes the folders, made by `nameOwnedFolder`, of owners that have died. */
export async function sweepOwnedFolders(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    const match = /^[a-z]+-(\d+)-(\w+)-\d+$/.exec(name);
    if (!match) continue;
    const current = identifyProcess(Number(match[1]));
    if (current?.startedAt.replaceAll(/\W+/g, '_') === match[2]) continue;
    await clearLeftovers(join(parent, name));
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}
