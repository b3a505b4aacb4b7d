import { accessSync, constants, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClusterMark, createClusterMark, readClusterMark, readSystemIdentifier } from './cluster-mark.js';
import { FolderRefusal } from './folder-refusal.js';
import { findPostgresIn } from './postgres-processes.js';
import { chooseIdentity } from './unprivileged.js';

/**
 * The folder and its parent must be folders, not links: a link may point to the data of another server.
 *
 * @returns undefined when the folder does not exist
 */
export function assertPlainFolder(folder: string): Stats | undefined {
  assertNoLink(dirname(folder));
  const stats = assertNoLink(folder);
  if (stats) assertOwner(folder, stats);
  return stats;
}

/**
 * Reads the folder and changes nothing in it.
 *
 * @param knownIdentifier the recorded cluster of this folder. It identifies a folder from before marks existed.
 * @returns the mark of the folder, or a new one for a folder from before marks existed: the caller writes it after its
 * other checks
 * @throws FolderRefusal unless we made the folder
 */
export function assertOwnFolder(dataDir: string, knownIdentifier?: string): ClusterMark {
  assertUsable(dataDir);
  assertNoLinksWithin(dataDir);
  const mark = readClusterMark(dataDir);
  if (mark) return mark;
  if (knownIdentifier === undefined || knownIdentifier !== tryReadIdentifier(dataDir)) throw refuseUnmarked(dataDir);
  return createClusterMark(dataDir);
}

/** The command moves the folder or the link itself, never the target of a link. */
export function proposeMovingAside(path: string): string {
  return `Move it aside, and the next start creates a new one: mv ${path} ${path}.aside`;
}

function assertNoLink(folder: string): Stats | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (!stats || stats.isDirectory()) return stats;
  if (!stats.isSymbolicLink()) {
    const fix = proposeMovingAside(folder);
    throw new FolderRefusal(folder, 'is a file', { expected: 'a folder', fix });
  }
  throw new FolderRefusal(folder, `is a link to ${readlinkSync(folder)}`, {
    expected: 'a folder of this workspace: a link may point to the data of another server',
    fix: `Remove the link, which does not change that folder: rm ${folder}`,
  });
}

function assertOwner(folder: string, { uid }: Stats): void {
  const ours = [process.getuid?.(), chooseIdentity().uid];
  if (ours.includes(uid)) return;
  throw new FolderRefusal(folder, `belongs to user ${uid}`, {
    expected: `a folder of user ${ours[0]}`,
    fix: 'Run the command as that user, or as the owner of the workspace.',
  });
}

function assertUsable(dataDir: string): void {
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refuseUnusable(dataDir, error);
  }
}

export function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw refuseUnusable(folder, error);
  }
}

export function refuseUnusable(folder: string, error: unknown): FolderRefusal {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return new FolderRefusal(folder, `cannot be used (${code})`, {
    expected: 'a folder that this user may read and write',
    fix: `If the file system is writable: chmod u+rwx ${folder}`,
  });
}

/**
 * initdb creates no links or second names: each was added later, and may lead to a file of another server. Files may
 * disappear meanwhile, because a server of a dead owner may still be ending.
 */
function assertNoLinksWithin(dataDir: string): void {
  for (const { path, stats } of walk(dataDir)) {
    const isPlain = stats.isDirectory() || (stats.isFile() && stats.nlink <= 1);
    if (!isPlain) throw refuseLink(path, { stats, dataDir });
  }
}

function* walk(folder: string): Generator<{ path: string; stats: Stats }> {
  for (const name of listIfPresent(folder)) {
    const path = join(folder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats) continue;
    yield { path, stats };
    if (stats.isDirectory()) yield* walk(path);
  }
}

function listIfPresent(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw refuseUnusable(folder, error);
  }
}

/** The command copies the targets of links, so that every file of the new folder has one name. */
function refuseLink(path: string, { stats, dataDir }: { stats: Stats; dataDir: string }): FolderRefusal {
  const isFile = stats.isFile();
  if (!isFile && !stats.isSymbolicLink()) {
    const expected = 'only files and folders in the data folder';
    return new FolderRefusal(path, 'is a special file', { expected, fix: proposeMovingAside(dataDir) });
  }
  const [problem, expected] = isFile
    ? [
        `is a file with ${stats.nlink} names`,
        'files without another name: the other may be in the data of another server',
      ]
    : [
        `is a link to ${readlinkSync(path)}`,
        'only files and folders in the data folder: a link may point to the data of another server',
      ];
  const copy = `cp -RLp ${dataDir} ${dataDir}.copy && mv ${dataDir} ${dataDir}.aside && mv ${dataDir}.copy ${dataDir}`;
  return new FolderRefusal(path, problem, {
    expected,
    fix: `Stop each server that uses the file, then copy the folder: ${copy}`,
  });
}

function refuseUnmarked(dataDir: string): FolderRefusal {
  const isInUse = findPostgresIn(dataDir).length > 0;
  const fix = isInUse
    ? 'A server runs in it: its owner can stop that server and then move the folder out of the workspace.'
    : proposeMovingAside(dataDir);
  return new FolderRefusal(dataDir, 'holds a PostgreSQL without the mark of this workspace', {
    expected: 'one that this workspace made',
    fix,
  });
}

function tryReadIdentifier(dataDir: string): string | undefined {
  try {
    return readSystemIdentifier(dataDir);
  } catch {
    return undefined;
  }
}
