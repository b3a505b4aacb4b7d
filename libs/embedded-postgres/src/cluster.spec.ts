import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { withHeldPort } from '@airlock/config/testing';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.js';
import { createOwnedFolder } from './leftovers.js';
import { findPostgresIn } from './postgres-processes.js';
import { type PreparedFolders, prepareFolders } from './prepared-folders.fixture.js';
import { chooseStorageFolder } from './test-storage.js';
import { identifyProcess, readParentPid } from './process-identity.js';
import { createRunFile, readPostmaster, readRunFile, replaceRunFile } from './run-file.js';

let prepared: PreparedFolders;
let owned: string;
let folder: string;
let dataDir: string;
let open: Cluster[];
let owners: ChildProcess[];

beforeAll(async () => {
  prepared = await prepareFolders();
});
afterAll(() => prepared.remove());

beforeEach(() => {
  // The next run sweeps here after an interrupted one.
  owned = createOwnedFolder(chooseStorageFolder(existsSync('/dev/shm') ? 'memory' : 'disk'), 'spec');
  // PostgreSQL may run as another user, who needs to pass through.
  chmodSync(owned, 0o711);
  folder = join(owned, 'clusters');
  mkdirSync(folder);
  dataDir = join(folder, 'data');
  open = [];
  owners = [];
});

afterEach(async () => {
  for (const cluster of open) await cluster.stop();
  for (const owner of owners) owner.kill('SIGKILL');
  await rm(owned, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

describe('startCluster', () => {
  it('responds only on the loopback address, with the system identifier that it reports', async () => {
    const cluster = await start({ dataDir, durable: false });
    expect(await query(cluster, 'SELECT system_identifier::text FROM pg_control_system()')).toBe(
      cluster.systemIdentifier,
    );
    expect(await query(cluster, 'SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await query(cluster, 'SHOW unix_socket_directories')).toBe('');
    expect(await query(cluster, "SELECT datlocale FROM pg_database WHERE datname = 'postgres'")).toBe('C.UTF-8');
  });

  it('is one server, also while it starts the processes of sessions', async () => {
    const cluster = await start({ dataDir, durable: false });
    const postmaster = readPostmaster(dataDir)?.pid;
    let isBusy = true;
    const sessions = Promise.all(
      Array.from({ length: 10 }, async () => {
        for (let count = 0; count < 10; count += 1) await query(cluster, 'SELECT 1::text');
      }),
    ).finally(() => (isBusy = false));
    const seen = new Set<number>();
    while (isBusy) {
      for (const { pid, isServer } of findPostgresIn(dataDir)) if (isServer) seen.add(pid);
      await immediate();
    }
    await sessions;
    expect([...seen]).toEqual([postmaster]);
  });

  it('refuses a wrong password', async () => {
    await prepared.copyOwn(dataDir);
    const { port } = await start({ dataDir, durable: false });
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password: 'guess', database: 'postgres' });
    await expect(client.connect()).rejects.toThrow('password authentication failed');
  });

  it('leaves neither process nor folder when a cluster for tests is stopped', async () => {
    const cluster = await start({ dataDir, durable: false });
    const pid = readPostmaster(dataDir)?.pid ?? 0;
    await cluster.stop();
    expect(identifyProcess(pid)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps committed data across a stop and across a SIGKILL of the server', async () => {
    await prepared.copyOwn(dataDir);
    const first = await start({ dataDir, durable: true });
    await query(first, 'CREATE TABLE kept AS SELECT 1 AS value');
    await first.stop();
    const second = await start({ dataDir, durable: true });
    await query(second, 'UPDATE kept SET value = 2');
    process.kill(readPostmaster(dataDir)?.pid ?? 0, 'SIGKILL');
    await second.ended;
    const third = await start({ dataDir, durable: true });
    expect(await query(third, 'SELECT value::text FROM kept')).toBe('2');
    expect(third.systemIdentifier).toBe(first.systemIdentifier);
  });

  it('takes the next port when the chosen free one is taken, and names the process that holds a fixed one', async () => {
    await prepared.copyOwn(dataDir);
    await withHeldPort((port) =>
      expect(startCluster({ dataDir, durable: true, port })).rejects.toThrow(
        new RegExp(
          `^port ${port}: process ${process.pid} \\(.*\\) listens on it; expected a free port\\.\nChoose another port\\.$`,
        ),
      ),
    );
  });

  it('names the live process that owns the folder', async () => {
    await prepared.copyOwn(dataDir);
    await start({ dataDir, durable: true });
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(`process ${process.pid} (`);
  });

  it('ignores a run file whose pid now belongs to another process', async () => {
    await prepared.copyOwn(dataDir);
    replaceRunFile(dataDir, createRunFile(dataDir, { owner: { pid: process.pid, startedAt: '1' }, port: 1 }));
    writeFileSync(join(dataDir, 'postmaster.pid'), `${process.pid}\n${dataDir}\n1\n1\n\n127.0.0.1\n\nready\n`);
    await expect(start({ dataDir, durable: true })).resolves.toMatchObject({ dataDir });
  });

  it.each([
    ['an older major version', (version: number) => `${version - 1}\n`, 'holds the data of PostgreSQL OLD; '],
    ['a newer major version', (version: number) => `${version + 1}\n`, 'holds the data of PostgreSQL OLD; '],
    ['a version with a minor part', () => '9.6\n', 'holds the data of PostgreSQL OLD; '],
    ['no version', () => '', 'has the version "" in PG_VERSION; '],
    ['a text that is not a version', () => 'eighteen\n', 'has the version "eighteen" in PG_VERSION; '],
    ['a long text', () => 'x'.repeat(9_999), `has the version "${'x'.repeat(20)}" in PG_VERSION; `],
    ['bytes that are not text', () => '\u001b[2J\0', String.raw`has the version "\u001b[2J\u0000" in PG_VERSION; `],
  ])('does not change or start a folder of %s, and starts a new one beside it', async (_, write, found) => {
    await prepared.copyOwn(dataDir);
    const first = await start({ dataDir, durable: true });
    await query(first, 'CREATE TABLE kept AS SELECT 1 AS one');
    await first.stop();
    const file = join(dataDir, 'PG_VERSION');
    const version = readFileSync(file, 'utf8');
    writeFileSync(file, write(Number(version)));
    const log = readFileSync(join(dataDir, 'server.log'), 'utf8');
    const aside = `mv ${dataDir} ${dataDir}.aside`;
    // The folder of a cluster for tests is otherwise removed when the start fails.
    for (const durable of [true, false]) {
      await expect(startCluster({ dataDir, durable })).rejects.toMatchObject({
        name: 'FolderRefusal',
        message:
          `${dataDir}: ${found.replace('OLD', write(Number(version)).trim())}expected the data of PostgreSQL ${version.trim()}\n` +
          `Move it aside, and the next start creates a new one: ${aside}\n` +
          'To keep its rows: docs/postgresql-major.md, "The laptop".',
      });
    }
    expect(readFileSync(join(dataDir, 'server.log'), 'utf8')).toBe(log);
    execFileSync('/bin/sh', ['-c', aside]);
    await start({ dataDir, durable: true });
    const moved = `${dataDir}.aside`;
    writeFileSync(join(moved, 'PG_VERSION'), version);
    expect(await query(await start({ dataDir: moved, durable: true }), 'SELECT one::text FROM kept')).toBe('1');
  });

  it('does not start a folder whose version cannot be read', async () => {
    await prepared.copyOwn(dataDir);
    const file = join(dataDir, 'PG_VERSION');
    renameSync(file, `${file}.aside`);
    mkdirSync(file);
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(
      `${file}: cannot be read (EISDIR); expected a file with the major version of the data\nMove it aside`,
    );
  });

  it('names the user of a folder of another major version, which must end before the folder is moved', async () => {
    await prepared.copyOwn(dataDir);
    await start({ dataDir, durable: true });
    writeFileSync(join(dataDir, 'PG_VERSION'), '17\n');
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(`process ${process.pid} (`);
  });

  it('starts on a copy of a folder that is in use elsewhere, without touching the original', async () => {
    await prepared.copyOwn(dataDir);
    const original = await start({ dataDir, durable: true });
    await query(original, 'CHECKPOINT');
    cpSync(dataDir, join(folder, 'copy'), { recursive: true, filter: (path) => !path.endsWith('airlock-run.json') });
    const copy = await start({ dataDir: join(folder, 'copy'), durable: true });
    expect(await query(original, 'SELECT 1::text')).toBe('1');
    expect(copy.port).not.toBe(original.port);
  });
});

describe('a cluster whose owner is killed with SIGKILL', () => {
  it('ends, and its folder is removed', async () => {
    await prepared.copyOwn(dataDir);
    const { owner, postmaster } = await startElsewhere({ dataDir, durable: false });
    owner.kill('SIGKILL');
    await expectToEnd(postmaster);
    await waitFor(() => !existsSync(dataDir));
  });

  it('ends although the watchdog was killed first', async () => {
    await prepared.copyOwn(dataDir);
    const { owner, postmaster, watchdog } = await startElsewhere({ dataDir, durable: false });
    process.kill(watchdog, 'SIGKILL');
    owner.kill('SIGKILL');
    await expectToEnd(postmaster);
  });

  it('ends although a terminal sent the watchdog SIGINT, SIGHUP and SIGTERM', async () => {
    await prepared.copyOwn(dataDir);
    const { owner, postmaster, watchdog } = await startElsewhere({ dataDir, durable: false });
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(watchdog, signal);
    await sleep(100);
    expect(identifyProcess(postmaster)).toBeDefined();
    owner.kill('SIGKILL');
    await expectToEnd(postmaster);
  });

  it('is ended and reported by its owner when every watchdog was killed', async () => {
    const cluster = await start({ dataDir, durable: true });
    const { pid = 0 } = readPostmaster(dataDir) ?? {};
    const watchdog = readParentPid(pid) ?? 0;
    for (const each of [...findChildren(watchdog).filter((child) => child !== pid), watchdog])
      process.kill(each, 'SIGKILL');
    await cluster.ended;
    await expectToEnd(pid);
    expect(readRunFile(dataDir)).toBeUndefined();
  });

  it('is ended by the next start when every watchdog was killed too', async () => {
    const postmaster = await orphan(await startElsewhere({ dataDir, durable: true }));
    expect(identifyProcess(postmaster)).toBeDefined();
    await start({ dataDir, durable: true });
    expect(identifyProcess(postmaster)).toBeUndefined();
  });

  it('is refused by the next start when every watchdog is suspended; the message names them and how to resume them', async () => {
    const { owner, postmaster, watchdog } = await startElsewhere({ dataDir, durable: true });
    const watchdogs = [watchdog, ...findChildren(watchdog).filter((child) => child !== postmaster)];
    for (const pid of watchdogs) process.kill(pid, 'SIGSTOP');
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const refusal = await startCluster({ dataDir, durable: true }).catch((error: unknown) => error);
    process.kill(watchdog, 'SIGCONT');
    expect(refusal).toMatchObject({
      name: 'FolderRefusal',
      message: expect.stringMatching(
        new RegExp(
          `: process ${watchdog} \\(/bin/sh .*\\) holds its lock; .*\nIt is suspended\\. .*: kill -CONT ${watchdog}$`,
        ),
      ),
    });
    await expect(start({ dataDir, durable: true })).resolves.toMatchObject({ dataDir });
  });

  it('is ended by the next start even if it took the folder after the check', async () => {
    const postmaster = await orphan(await startElsewhere({ dataDir, durable: true }));
    const pidFile = join(dataDir, 'postmaster.pid');
    const late = `${pidFile}.late`;
    renameSync(pidFile, late);
    for (let isLate = false; !isLate;) {
      let isStarted = false;
      const starting = start({ dataDir, durable: true }).finally(() => (isStarted = true));
      while (!isStarted && readRunFile(dataDir)?.owner.pid !== process.pid) await immediate();
      isLate = putInPlace(late, pidFile);
      const cluster = await starting;
      expect(await query(cluster, 'SELECT 1::text')).toBe('1');
      expect(identifyProcess(postmaster)).toBeUndefined();
      await cluster.stop();
    }
  });

  it.each([10, 60, 200, 400])('does not block the next start when killed %i ms after its own', async (delayMs) => {
    const owner = spawnOwner({ dataDir, durable: true });
    await sleep(200 + delayMs);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const cluster = await start({ dataDir, durable: true });
    expect(await query(cluster, 'SELECT 1::text')).toBe('1');
    expect(readdirSync(folder).filter((name) => name !== 'data')).toEqual([]);
  });
});

async function start(options: ClusterOptions): Promise<Cluster> {
  const cluster = await startCluster(options);
  open.push(cluster);
  return cluster;
}

async function query({ superuser }: Cluster, sql: string): Promise<unknown> {
  const { host, port, user, password, database } = superuser;
  const client = new Client({ host, port, user, password: password.reveal(), database });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

function spawnOwner(options: ClusterOptions): ChildProcess {
  const hooks = fileURLToPath(new URL('../../../tools/typescript.mjs', import.meta.url));
  const script = fileURLToPath(new URL('./cluster-owner.fixture.ts', import.meta.url));
  const owner = spawn(process.execPath, ['--import', hooks, script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  owners.push(owner);
  return owner;
}

async function startElsewhere(options: ClusterOptions) {
  const owner = spawnOwner(options);
  const [line] = (await once(owner.stdout ?? owner, 'data')) as [Buffer];
  const { postmaster } = JSON.parse(line.toString()) as { postmaster: number };
  return { owner, postmaster, watchdog: readParentPid(postmaster) ?? 0 };
}

function findChildren(parent: number): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => readParentPid(pid) === parent);
}

/** Kills the watchdogs and then the owner, which does not notice. @returns the pid of the server that is left */
async function orphan(started: Awaited<ReturnType<typeof startElsewhere>>): Promise<number> {
  const { owner, postmaster, watchdog } = started;
  owner.kill('SIGSTOP');
  for (const pid of [...findChildren(watchdog).filter((child) => child !== postmaster), watchdog]) {
    process.kill(pid, 'SIGKILL');
  }
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  return postmaster;
}

/** False if a faster server has written its file there: on a busy machine this process may have to wait. */
function putInPlace(path: string, place: string): boolean {
  try {
    linkSync(path, place);
    return true;
  } catch {
    return false;
  }
}

async function expectToEnd(pid: number): Promise<void> {
  await waitFor(() => identifyProcess(pid) === undefined);
  expect(identifyProcess(pid)).toBeUndefined();
}

async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let polls = 0; polls < 500 && !isTrue(); polls += 1) await sleep(20);
}
