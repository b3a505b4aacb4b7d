import { readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DatabaseAddress, Secret } from '@airlock/config';
import { loadBinaries } from './binaries.js';
import { type ClusterMark, ensureClusterMark, readClusterMark } from './cluster-mark.js';
import { ensureDataFolder, readSuperuserPassword, SUPERUSER } from './data-folder.js';
import { refuseOtherMajor } from './data-version.js';
import { isLocked, nameLockFile } from './folder-lock.js';
import { FolderRefusal } from './folder-refusal.js';
import { endServer } from './leftovers.js';
import { findLeftovers, isHeldElsewhere, isStartedByUs, refuseHeld, refuseLocked } from './occupancy.js';
import { assertOwnFolder } from './own-folder.js';
import { findFreePort } from './port.js';
import { PortInUseError } from './port-in-use-error.js';
import { identifyThisProcess, readCommandLine } from './process-identity.js';
import {
  createRunFile,
  readPostmaster,
  removePostmasterFile,
  removeRunFile,
  replaceRunFile,
  type RunFile,
} from './run-file.js';
import { listServerArguments } from './server-settings.js';
import { chooseIdentity, changeOwner } from './unprivileged.js';
import { type GuardedServer, startGuarded } from './watchdog.js';

export interface ClusterOptions {
  /** PostgreSQL's data folder; created when absent. It also contains our files: password, log, run file. */
  dataDir: string;
  /**
   * true keeps committed data through any crash. false is for tests: faster, and the folder is removed with the
   * cluster.
   */
  durable: boolean;
  /** 0, the default, chooses a free port. */
  port?: number;
  /** Keeps the folder of a cluster that is not durable. It is shut down cleanly, so the folder may be copied. */
  keepFolder?: boolean;
  /** The recorded system identifier of the folder; see `assertOwnFolder`. */
  knownIdentifier?: string | undefined;
}

export interface Cluster {
  readonly host: string;
  readonly port: number;
  readonly superuser: DatabaseAddress;
  readonly systemIdentifier: string;
  readonly dataDir: string;
  /** Resolves when the server has ended, by `stop` or by itself. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const LOG_FILE = 'server.log';
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 4;
const LOCK_TIMEOUT_MS = 10_000;
const LOCK_POLL_MS = 20;
const START_ATTEMPTS = 5;

/**
 * Starts PostgreSQL 18 from npm. It ends with this process, however this process ends; remains of a dead owner in the
 * folder are removed first. A folder that is not ours stays unchanged.
 *
 * @throws FolderRefusal when the folder is not ours, when a live owner or another server uses it, or when another major
 * version of PostgreSQL made it
 * @throws PortInUseError when another process holds the port
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dataDir, port = 0 } = options;
  await ensureDataFolder(dataDir, options);
  const known = assertOwnFolder(dataDir, options.knownIdentifier);
  for (let attempt = 1; ; attempt += 1) {
    // Another process may have marked the folder since.
    const mark = readClusterMark(dataDir) ?? known;
    const held = await takeFolder(options, { mark, port: port || (await findFreePort()) });
    const run = createRunFile(dataDir, { owner: identifyThisProcess(), port: held.port });
    try {
      return await startServer(options, { ...held, run });
    } catch (error) {
      await held.server.stop();
      removeRunFile(dataDir, run);
      // Checks the folder again after a refusal: the process that took it at the last moment may have a dead owner.
      const isPassing = error instanceof FolderRefusal || (error instanceof PortInUseError && port === 0);
      if (isPassing && attempt < START_ATTEMPTS) continue;
      const keepsFolder = error instanceof FolderRefusal || (options.keepFolder ?? options.durable);
      if (!keepsFolder) rmSync(dataDir, { recursive: true, force: true });
      throw error;
    }
  }
}

/** The folder is ours until the server has ended. */
interface HeldFolder {
  readonly server: GuardedServer;
  readonly mark: ClusterMark;
  readonly port: number;
}

type Start = Pick<HeldFolder, 'mark' | 'port'>;

/** Ends processes in the folder that belong to a dead owner, and takes the folder's lock. */
async function takeFolder(options: ClusterOptions, { mark, port }: Start): Promise<HeldFolder> {
  const { dataDir } = options;
  const { postgres } = await loadBinaries();
  for (const start = Date.now(); Date.now() - start < LOCK_TIMEOUT_MS; await sleep(LOCK_POLL_MS)) {
    const { servers, isEnding } = findLeftovers(dataDir, mark);
    for (const pid of servers) await endServer(pid, { dataDir, mark });
    const otherMajor = refuseOtherMajor(dataDir);
    // Its fix moves the folder, which nothing may use then.
    if (otherMajor && !isEnding && !isLocked(dataDir)) throw otherMajor;
    const server = isEnding || otherMajor ? undefined : await lock(options, { mark, port, postgres });
    if (server) return { server, mark, port };
    if (isHeldElsewhere(dataDir)) break;
  }
  throw refuseHeld(dataDir);
}

/**
 * @returns undefined when another process holds the lock: one that is just starting, or the last processes of one that
 * ended
 */
async function lock(
  { dataDir, durable, keepFolder = durable }: ClusterOptions,
  { mark, port, postgres }: Start & { postgres: string },
) {
  const server = startGuarded({
    command: [...chooseIdentity().prefix, postgres, ...listServerArguments({ durable, port, dataDir, mark })],
    cwd: dataDir,
    logFile: join(dataDir, LOG_FILE),
    lockFile: nameLockFile(dataDir),
    stopSignal: keepFolder ? 'INT' : 'QUIT',
    removeFolder: keepFolder ? undefined : dataDir,
  });
  return (await server.locked) ? server : undefined;
}

async function startServer(options: ClusterOptions, held: HeldFolder & { run: RunFile }): Promise<Cluster> {
  const { dataDir, durable, keepFolder = durable } = options;
  const { server, mark, port, run } = held;
  claimFolder(dataDir, { mark, run });
  server.begin();
  const pid = await waitUntilReady(server, { dataDir, port, mark });
  const ended = server.ended.then(async (status) => {
    // Only after the watchdog itself was killed: no process ends the server any more, but its run file names its owner.
    await endServer(pid, { dataDir, mark });
    removeRunFile(dataDir, run);
    return status;
  });
  return {
    host: HOST,
    port,
    superuser: createSuperuserAddress(dataDir, port),
    systemIdentifier: mark.systemIdentifier,
    dataDir,
    ended,
    async stop() {
      await server.stop();
      await ended;
      if (!keepFolder) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * Repeats the earlier checks under the lock, because another server may have started in between. Only then the folder
 * gets its mark. Another process may have written one; the next attempt uses that.
 */
function claimFolder(dataDir: string, { mark, run }: { mark: ClusterMark; run: RunFile }): void {
  const { servers, hasStaleFile } = findLeftovers(dataDir, mark);
  if (servers.length > 0 || ensureClusterMark(dataDir, mark).id !== mark.id) throw refuseLocked(dataDir);
  changeOwner(chooseIdentity(), dataDir);
  replaceRunFile(dataDir, run);
  if (hasStaleFile) removePostmasterFile(dataDir);
  truncateSync(join(dataDir, LOG_FILE));
}

/** @returns the server's pid */
async function waitUntilReady(server: GuardedServer, where: Start & { dataDir: string }): Promise<number> {
  const { dataDir, port, mark } = where;
  let hasEnded = false;
  void server.ended.then(() => (hasEnded = true));
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    const postmaster = readPostmaster(dataDir);
    // The file may still belong to an ended server.
    if (postmaster?.isReady && postmaster.port === port && isOurs(postmaster.pid, mark)) return postmaster.pid;
    if (hasEnded) throw explainFailure(dataDir, port);
    await sleep(POLL_MS);
  }
  await server.stop();
  throw new Error(`${dataDir}: PostgreSQL is not ready after ${START_TIMEOUT_MS / 1000} s; see ${LOG_FILE} in it.`);
}

function isOurs(pid: number, mark: ClusterMark): boolean {
  return isStartedByUs({ commandLine: readCommandLine(pid) }, mark);
}

function explainFailure(dataDir: string, port: number): Error {
  const log = readLog(dataDir);
  if (log.includes('Address already in use')) return new PortInUseError({ port });
  if (log.includes('lock file "postmaster.pid" already exists')) return refuseLocked(dataDir);
  const lastLines = log.trim().split('\n').slice(-5).join('\n');
  return new Error(`${dataDir}: PostgreSQL did not start; its log ends with\n${lastLines}`);
}

function readLog(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, LOG_FILE), 'utf8');
  } catch {
    return '';
  }
}

function createSuperuserAddress(dataDir: string, port: number): DatabaseAddress {
  return {
    host: HOST,
    port,
    user: SUPERUSER,
    password: new Secret(readSuperuserPassword(dataDir)),
    database: 'postgres',
    sslMode: 'disable',
  };
}
