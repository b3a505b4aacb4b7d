import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DatabaseAddress, Secret } from '@airlock/config';
import { loadBinaries } from './binaries.js';
import { ensureDataFolder, readSuperuserPassword, readSystemIdentifier, SUPERUSER } from './data-folder.js';
import { clearLeftovers, endPostmaster, findLiveOwner } from './leftovers.js';
import { findFreePort } from './port.js';
import { describeProcess, PortInUseError } from './port-in-use-error.js';
import { identifyOurselves } from './process-identity.js';
import { claimRunFile, readPostmaster, removeRunFile, replaceRunFile } from './run-file.js';
import { listServerArguments } from './server-settings.js';
import { chooseIdentity, giveTo } from './unprivileged.js';
import { type GuardedServer, startGuarded } from './watchdog.js';

export interface ClusterOptions {
  /** PostgreSQL's data folder; made when absent. Our own marks (password, log, run file) lie in it too. */
  dataDir: string;
  /** true keeps what was committed through any crash; false is for tests: fast, and the folder goes with the cluster. */
  durable: boolean;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Keeps the folder of a cluster that is not durable, shut down cleanly: it may be copied. */
  keepFolder?: boolean;
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
const START_ATTEMPTS = 5;

/**
 * Starts PostgreSQL 18 from npm. It ends with this process, however this process ends; what an earlier owner left in
 * the folder is cleared first.
 *
 * @throws when a live process owns the folder, or another holds the port: both are named
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dataDir, port = 0 } = options;
  await ensureDataFolder(dataDir, options);
  await takeFolder(dataDir);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnPort(options, port || (await findFreePort()));
    } catch (error) {
      const isPassing = error instanceof FolderHeldError || (error instanceof PortInUseError && port === 0);
      if (isPassing && attempt < START_ATTEMPTS) {
        await clearLeftovers(dataDir);
        continue;
      }
      if (options.keepFolder ?? options.durable) removeRunFile(dataDir);
      else rmSync(dataDir, { recursive: true, force: true });
      throw error;
    }
  }
}

/** Claims the folder for this process, and ends what runs in it for nobody. */
async function takeFolder(dataDir: string): Promise<void> {
  const claim = { owner: identifyOurselves(), port: 0, systemIdentifier: readSystemIdentifier(dataDir) };
  const live = findLiveOwner(dataDir);
  if (live) {
    throw new Error(
      `${dataDir}: ${describeProcess(live.pid)} runs PostgreSQL in it; expected a folder of our own.\n` +
        `Use that one, or stop it: kill ${live.pid}`,
    );
  }
  removeRunFile(dataDir);
  if (!claimRunFile(dataDir, claim)) throw new Error(`${dataDir}: taken by another process just now; try again.`);
  await clearLeftovers(dataDir);
}

async function startOnPort(options: ClusterOptions, port: number): Promise<Cluster> {
  const { dataDir, durable, keepFolder = durable } = options;
  const { postgres } = await loadBinaries();
  const identity = chooseIdentity();
  giveTo(identity, dataDir);
  const server = startGuarded({
    command: [...identity.prefix, postgres, '-D', dataDir, ...listServerArguments({ durable, port })],
    cwd: dataDir,
    logFile: join(dataDir, LOG_FILE),
    stopSignal: keepFolder ? 'INT' : 'QUIT',
    removeFolder: keepFolder ? undefined : dataDir,
  });
  const pid = await waitUntilReady(server, { dataDir, port });
  const systemIdentifier = readSystemIdentifier(dataDir);
  replaceRunFile(dataDir, { owner: identifyOurselves(), port, systemIdentifier });
  void server.ended.then(() => removeRunFile(dataDir));
  return {
    host: HOST,
    port,
    superuser: createSuperuserAddress(dataDir, port),
    systemIdentifier,
    dataDir,
    ended: server.ended,
    async stop() {
      await server.stop();
      // Only after the watchdog itself was killed.
      await endPostmaster(pid, dataDir);
      if (!keepFolder) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A server that a killed owner had just begun to start took the folder after the leftovers were cleared. */
class FolderHeldError extends Error {
  constructor(dataDir: string) {
    super(`${dataDir}: another PostgreSQL runs in it; expected a folder of our own. Try again.`);
  }
}

/** @returns the server's pid */
async function waitUntilReady(server: GuardedServer, where: { dataDir: string; port: number }): Promise<number> {
  const { dataDir, port } = where;
  let hasEnded = false;
  void server.ended.then(() => (hasEnded = true));
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    const postmaster = readPostmaster(dataDir);
    // By its port: another may have written the file, see FolderHeldError.
    if (postmaster?.isReady && postmaster.port === port) return postmaster.pid;
    if (hasEnded) throw explainFailure(dataDir, port);
    await sleep(POLL_MS);
  }
  await server.stop();
  throw new Error(`${dataDir}: PostgreSQL is not ready after ${START_TIMEOUT_MS / 1000} s; see ${LOG_FILE} in it.`);
}

function explainFailure(dataDir: string, port: number): Error {
  const log = readLog(dataDir);
  if (log.includes('Address already in use')) return new PortInUseError({ port });
  if (log.includes('lock file "postmaster.pid" already exists')) return new FolderHeldError(dataDir);
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
