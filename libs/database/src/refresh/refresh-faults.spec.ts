import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { skipUnless } from '@airlock/config/testing';
import {
  changeOwner,
  chooseIdentity,
  type Cluster,
  createOwnedFolder,
  findPostgresIn,
  startCluster,
} from '@airlock/embedded-postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { ask, runAs } from '../provision/provision.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';
import { everyType, plantPeople } from './every-type.fixture.js';
import { askInside, createConfig, createDatabase, inside, KEY, listDatabases, runRefresh } from './refresh.fixture.js';
import { refresh } from './refresh.js';
import { nextOf } from './swap.js';

const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
const RUNNER = fileURLToPath(new URL('./refresh-runner.fixture.ts', import.meta.url));
/** More than the buffers of two connections hold. */
const PEOPLE = 4000;
const OLD = 'of staging';
const NEW = 'Team 1,Team 2,Team 3';
const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
const itWithMounts = skipUnless(canMount, it, 'no right to mount a file system of a bounded size');

type Name = 'source' | 'target';
const servers = {} as Record<Name, Cluster>;
let folder: string;
let source: ProvisionOptions;
let target: ProvisionOptions;
const runners: ChildProcess[] = [];

beforeAll(async () => {
  folder = createOwnedFolder(tmpdir(), 'refresh-faults');
  // PostgreSQL may run as another user, who needs to pass through.
  chmodSync(folder, 0o711);
  for (const name of ['source', 'target'] as const)
    servers[name] = await startCluster({ dataDir: join(folder, name), durable: true });
  const sql = plantPeople(PEOPLE);
  source = await createDatabase(servers.source, { environment: 'production', model: everyType, sql });
}, 60_000);
beforeEach(async () => {
  const sql = `INSERT INTO teams VALUES (7, '${OLD}')`;
  target = await createDatabase(servers.target, { environment: 'staging', model: everyType, sql });
});
afterEach(() => {
  for (const runner of runners.splice(0)) runner.kill('SIGKILL');
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As if its machine lost its power, then started again. */
async function killServer(name: Name): Promise<void> {
  const { dataDir, port, ended } = servers[name];
  const postmaster = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(postmaster, 'SIGKILL');
  for (const { pid } of findPostgresIn(dataDir)) killIfAlive(pid);
  await ended;
  servers[name] = await startCluster({ dataDir, port, durable: true });
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It noticed that the postmaster was gone.
  }
}

const readTeams = () => askInside(target, `SELECT string_agg(title, ',' ORDER BY id) FROM teams`);

async function waitFor(sql: string): Promise<void> {
  while ((await runAs(target.admin, (admin) => ask(admin, `SELECT (${sql})::text`))) !== 'true') await sleep(10);
}

async function expectRecovery(): Promise<void> {
  // The server notices that the process is gone.
  await waitFor(`NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '${nextOf(target.app.database)}')`);
  await runRefresh({ source, target, model: everyType });
  expect(await readTeams()).toBe(NEW);
  expect(await listDatabases(target)).toEqual([target.app.database, `${target.app.database}_old`]);
}

/** Runs `disturb` when the first rows of the largest table have come, and many are still to come. */
async function refreshWith(disturb: () => Promise<void>): Promise<Error> {
  let disturbing: Promise<void> | undefined;
  const failed = runAs(inside(source), (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const disturbed = (...args: unknown[]) => {
      const result = query(...args);
      if (String((args[0] as { text?: string })?.text ?? args[0]).includes('COPY (SELECT "id", "user_id", "email"'))
        (result as NodeJS.ReadableStream).once('data', () => {
          disturbing ??= disturb();
        });
      return result;
    };
    client.query = disturbed as typeof client.query;
    return refresh({ ...everyType, config: createConfig(target), source: client, key: KEY });
  }).then(
    () => new Error('the refresh succeeded'),
    (error: unknown) => error as Error,
  );
  const error = await failed;
  await disturbing;
  return error;
}

describe('a refresh whose server is killed while rows are copied', () => {
  it.each([
    ['source', 'SourceWasLost', /^people: the session of the source ended/],
    ['target', 'CopyFailed', /^people: the session of the target ended/],
  ] as const)(
    'loses the %s, says so, and staging keeps its rows',
    async (name, reason, message) => {
      const error = await refreshWith(() => killServer(name));
      expect(error).toMatchObject({
        name: 'RefreshFailure',
        reason,
        exitCode: 1,
        message: expect.stringMatching(message),
      });
      expect(error.message).not.toMatch(/canary|real-mail/i);
      expect(await readTeams()).toBe(OLD);
      await expectRecovery();
    },
    60_000,
  );
});

describe('a refresh without room on the disk', () => {
  let mounted: string | undefined;
  // No server starts in a data folder with a link, as a tablespace is.
  afterEach(async () => {
    if (!mounted) return;
    await runAs(target.admin, async (admin) => {
      for (const name of await listDatabases(target)) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.query(`ALTER ROLE ${target.app.database}_migrator RESET default_tablespace`);
      await admin.query('DROP TABLESPACE IF EXISTS small');
    }).finally(() => spawnSync('umount', [String(mounted)]));
  });

  itWithMounts(
    'says so without a value, staging keeps its rows, and the next run succeeds with more room',
    async () => {
      mounted = join(folder, 'small');
      mkdirSync(mounted);
      const mount = (...options: string[]) => expect(spawnSync('mount', options).status).toBe(0);
      mount('-t', 'tmpfs', '-o', 'size=3m,mode=700', 'tmpfs', mounted);
      changeOwner(chooseIdentity(), mounted);
      await runAs(target.admin, async (admin) => {
        await admin.query(`CREATE TABLESPACE small LOCATION '${mounted}'`);
        await admin.query(`GRANT CREATE ON TABLESPACE small TO ${target.app.database}_owner`);
        await admin.query(`ALTER ROLE ${target.app.database}_migrator SET default_tablespace = small`);
      });
      const error = await refreshWith(() => Promise.resolve());
      expect(error).toMatchObject({ name: 'RefreshFailure', reason: 'CopyFailed', exitCode: 1 });
      expect(error.message).toMatch(/^\w+: a server ran out of room \(PostgreSQL error 53100: .*\); expected room for/);
      expect(error.message).not.toMatch(/canary|real-mail/i);
      expect(await readTeams()).toBe(OLD);
      expect(await listDatabases(target)).toEqual([target.app.database]);
      mount('-o', 'remount,size=100m', mounted);
      await expectRecovery();
    },
    60_000,
  );
});

describe('a swap that is killed', () => {
  /** Stops the transaction at one of its statements: the first one renames the target, the second one the new database. */
  async function stopSwapAt(statement: 1 | 2, kill: (runner: ChildProcess, holder: Client) => Promise<void>) {
    const { host, port, password } = servers.target.superuser;
    const names = { source: source.app.database, target: target.app.database, stopAt: 'nowhere at all' };
    const elsewhere = { sourcePort: source.app.port, sourcePassword: source.admin.password.reveal() };
    const settings = JSON.stringify({ host, port, password: password.reveal(), ...names, ...elsewhere });
    const runner = spawn(process.execPath, ['--import', HOOKS, RUNNER, settings], { stdio: 'ignore' });
    runners.push(runner);
    const next = nextOf(target.app.database);
    await waitFor(`EXISTS (SELECT FROM pg_stat_activity WHERE datname = '${next}' AND query LIKE 'COPY public%')`);
    await runAs(target.admin, async (holder) => {
      holder.on('error', () => undefined);
      // Its lock blocks a rename, but no session.
      await holder.query(`BEGIN; COMMENT ON DATABASE ${statement === 1 ? target.app.database : next} IS 'held'`);
      await waitFor(SWAP_WAITS);
      await kill(runner, holder);
    });
  }

  const SWAP_WAITS = `EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND query LIKE 'BEGIN; ALTER DATABASE%')`;
  const SWAP_ENDED = `NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'BEGIN; ALTER DATABASE%')`;

  it.each([1, 2] as const)(
    'in statement %i leaves the old rows or the new ones under the name',
    async (statement) => {
      await stopSwapAt(statement, async (runner, holder) => {
        const ended = once(runner, 'exit');
        runner.kill('SIGKILL');
        await ended;
        expect(await listDatabases(target)).toEqual([target.app.database, nextOf(target.app.database)]);
        await holder.query('ROLLBACK');
        await waitFor(SWAP_ENDED);
      });
      expect([OLD, NEW]).toContain(await readTeams());
      await expectRecovery();
    },
    60_000,
  );

  it.each([1, 2] as const)(
    'with its server in statement %i leaves the old rows',
    async (statement) => {
      await stopSwapAt(statement, () => killServer('target'));
      expect(await readTeams()).toBe(OLD);
      expect(await listDatabases(target)).toEqual([target.app.database, nextOf(target.app.database)]);
      await expectRecovery();
    },
    60_000,
  );
});
