import { join } from 'node:path';
import { type ClusterMark, createMarkSetting } from './cluster-mark.js';
import { findLockHolders, hasLocks, isLocked } from './folder-lock.js';
import { FolderRefusal } from './folder-refusal.js';
import { describeProcess } from './port-in-use-error.js';
import { findPostgresIn, type PostgresProcess, worksIn } from './postgres-processes.js';
import { isSameProcessAlive, isStopped } from './process-identity.js';
import { type Postmaster, readLastCommandLine, readPostmaster, readRunFile, type RunFile } from './run-file.js';
import { compareSystem } from './system-identity.js';

export interface Leftovers {
  /** Servers that we started in this folder for an owner that has died. */
  readonly servers: readonly number[];
  /** Session and background processes of an ended server; they end by themselves. */
  readonly isEnding: boolean;
  /** postmaster.pid was left by a server that has ended. */
  readonly hasStaleFile: boolean;
}

/**
 * Reports what an earlier owner has left in one of our folders. A missing run file proves nothing: a server counts as
 * left behind only if we started it and its owner is known to have died.
 *
 * @throws FolderRefusal where a live owner, or a server that we did not start, uses or may use the folder
 */
export function findLeftovers(dataDir: string, mark: ClusterMark): Leftovers {
  const run = readRunFile(dataDir);
  if (run && isOwnerAlive(run)) throw refuseLive(dataDir, run.owner.pid);
  const processes = findPostgresIn(dataDir);
  const servers = processes.filter(({ isServer }) => isServer);
  const other = servers.find((server) => !isStartedByUs(server, mark));
  if (other) throw refuseServer(dataDir, other, 'which this workspace did not start');
  const isOwnerKnown = run !== undefined && compareSystem(run.system) === 'here';
  if (servers[0] && !isOwnerKnown) throw refuseServer(dataDir, servers[0], 'and its owner is not known');
  const postmaster = readPostmaster(dataDir);
  const hasStaleFile = postmaster !== undefined && servers.length === 0;
  if (hasStaleFile && !isStale(dataDir, { postmaster, run, mark })) {
    throw refuseUnknown(dataDir, postmaster);
  }
  const isEnding = servers.length === 0 && processes.length > 0;
  return { servers: servers.map(({ pid }) => pid), isEnding, hasStaleFile };
}

export function isStartedByUs({ commandLine }: Pick<PostgresProcess, 'commandLine'>, mark: ClusterMark): boolean {
  return commandLine.includes(createMarkSetting(mark));
}

/** Another container holds the lock. Its processes never become visible, so waiting does not help. */
export function isHeldElsewhere(dataDir: string): boolean {
  const run = readRunFile(dataDir);
  return run !== undefined && compareSystem(run.system) !== 'here' && isLocked(dataDir);
}

/** No process is visible, but the folder's lock is held. */
export function refuseLocked(dataDir: string): FolderRefusal {
  return refuse(
    dataDir,
    'a PostgreSQL that is not visible from here, such as one in a container, holds its lock',
    IN_USE,
  );
}

/** The same check when another process holds the lock: a process of this machine can be named. */
export function refuseHeld(dataDir: string): FolderRefusal {
  const holders = findLockHolders(dataDir);
  if (holders.length === 0) return refuseLocked(dataDir);
  const stopped = holders.filter(isStopped);
  const fix =
    stopped.length > 0 ? `It is suspended. Resume it, and it ends by itself: kill -CONT ${stopped.join(' ')}` : IN_USE;
  return refuse(dataDir, `${holders.map(describeProcess).join(', ')} holds its lock`, fix);
}

const IN_USE = 'Its owner must stop it first; this command does not.';

function refuse(dataDir: string, problem: string, fix: string): FolderRefusal {
  return new FolderRefusal(dataDir, problem, { expected: 'a folder that no other server uses', fix });
}

function refuseServer(dataDir: string, { pid }: PostgresProcess, problem: string): FolderRefusal {
  return refuse(dataDir, `${describeProcess(pid)} runs PostgreSQL in it, ${problem}`, IN_USE);
}

function refuseLive(dataDir: string, owner: number): FolderRefusal {
  return refuse(
    dataDir,
    `${describeProcess(owner)} runs PostgreSQL in it`,
    'Use that server, or press Ctrl-C in its terminal.',
  );
}

function refuseUnknown(dataDir: string, { pid }: Postmaster): FolderRefusal {
  return refuse(
    dataDir,
    `postmaster.pid names process ${pid}, which this workspace did not start or which is not visible from here`,
    `Only if no server uses the folder any more, not even in a container: rm ${join(dataDir, 'postmaster.pid')}`,
  );
}

function isOwnerAlive({ owner, system }: RunFile): boolean {
  return compareSystem(system) === 'here' && isSameProcessAlive(owner);
}

interface Remains {
  readonly postmaster: Postmaster;
  readonly run: RunFile | undefined;
  readonly mark: ClusterMark;
}

/**
 * No process is visible in the folder; one in a container would not be. A live server of ours would hold the lock,
 * which is checked later. Another server is recognised by the command line that the last server has left.
 */
function isStale(dataDir: string, { postmaster, run, mark }: Remains): boolean {
  if (isElsewhere(dataDir, postmaster)) return true;
  const relation = run && compareSystem(run.system);
  if (relation === 'unseen' || (relation === 'same kernel' && !hasLocks())) return false;
  const last = readLastCommandLine(dataDir);
  return last === undefined ? run !== undefined : isStartedByUs({ commandLine: last }, mark);
}

/** The folder is a copy: the server that the file names works in the original. */
function isElsewhere(dataDir: string, postmaster: Postmaster): boolean {
  return worksIn(postmaster.pid, postmaster.dataDir) && !worksIn(postmaster.pid, dataDir);
}
