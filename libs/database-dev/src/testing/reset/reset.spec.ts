import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { maxDatabaseNameBytes } from '@airlock/config';
import { startCluster } from '@airlock/embedded-postgres';
import { ask, createAddresses, runAs } from '@airlock/database/fixtures';
import { provision } from '@airlock/database/internal';
import { sampleModel } from '@airlock/database/sample';
import { AUDIT_FILE } from './audit.js';
import { getJournalPath, loadJournal } from './reset-journal.js';
import type { Step } from './recreate.js';
import { formatReport } from './reset-report.js';
import { resetTestDatabase } from './reset-test-database.js';
import { startProxy, startServers, World, type Servers } from './world.fixture.js';

let servers: Servers;
let world: World;
let counter = 0;
const children: ChildProcess[] = [];

beforeAll(async () => {
  servers = await startServers();
}, 60_000);
afterAll(() => servers.stop());
beforeEach(async () => {
  world = await new World(servers, `airlock_r${++counter}_test`).provision();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  expect(await world.isCanaryAlive()).toBe(true);
  await world.dispose();
});

const names = () =>
  runAs(servers.test.superuser, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname LIKE '${world.database}%' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  });

const where = () => ({ ...world.servers.test, database: world.database });

describe('resetTestDatabase', () => {
  it('leaves a migrated, seeded and stamped database with its grants, and nothing else', async () => {
    await world.sql('CREATE TABLE public.parcels (leftover int)');
    const before = await describeDatabase();
    const report = await resetTestDatabase({
      variables: world.variables,
      workspace: world.workspace,
      model: sampleModel,
    });
    expect(formatReport(report)).toContain(`${world.database}: recreated from its template, migrated and seeded.`);
    expect(await describeDatabase()).toEqual({ ...before, oid: expect.anything(), seal: expect.anything() });
    await runAs(world.options.migration, async (client) => {
      expect(await ask(client, 'SELECT leftover FROM public.parcels')).toBe('column "leftover" does not exist');
      expect(await ask(client, `SELECT count(*) > 0 FROM ops.migrations`)).toBe(true);
    });
    expect(await names()).toEqual([world.database, `${world.database}_tpl`]);
    expect((await world.reset()).outcome).toBe('reset');
    expect((await provision(world.options)).created).toBe(false);
  });

  it('recreates a database whose name leaves just enough room for the names derived from it', async () => {
    await world.dispose();
    const longest = 'airlock_test'.padStart(maxDatabaseNameBytes('testing'), 'r');
    world = await new World(servers, longest).provision();
    expect((await world.reset()).outcome).toBe('reset');
    expect(await names()).toEqual([longest, `${longest}_tpl`]);
    expect((await world.reset()).outcome).toBe('reset');
  });

  it('shows every layer with its facts and its verdict, and changes nothing, with --explain', async () => {
    const report = await resetTestDatabase({
      variables: world.variables,
      workspace: world.workspace,
      model: sampleModel,
      explain: true,
    });
    const lines = formatReport(report).split('\n');
    expect(lines.slice(0, 12).map((line) => line.slice(0, 31).trim())).toEqual([
      'L0  intent          holds',
      'L1  one parser      holds',
      'L2  allow-list      holds',
      'L3  role            holds',
      'L4  identity        holds',
      'L5  tripwires       holds',
      'L6  method          holds',
      'L7  protected side  holds',
      'L8  absence         holds',
      'L9  contents        holds',
      'L10 template        later',
      'L11 audit           holds',
    ]);
    expect(report.outcome).toBe('allowed');
    expect(await world.isKept()).toBe(true);
  });

  it('states the danger, the facts and the safe command when it refuses', async () => {
    world.variables['ENVIRONMENT'] = 'production';
    const text = formatReport(await world.reset());
    expect(text).toContain(
      [
        '',
        'L0 intent: a command typed in the wrong shell resets the database of that shell',
        '  ENVIRONMENT is "production"; expected exactly "testing"',
        '    ENVIRONMENT=testing airlock db reset-test',
        '',
      ].join('\n'),
    );
    expect(text).toMatch(/Refused; nothing was changed\. .*`make test`/);
    expect(text).not.toContain('-secret');
  });

  it('adds one audit line for each attempt, refused ones too, without a secret', async () => {
    await world.reset();
    world.variables['ENVIRONMENT'] = 'staging';
    await world.reset();
    const text = readFileSync(join(world.workspace, AUDIT_FILE), 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { outcome: 'allowed', refusedBy: [], environment: 'testing', database: world.database, mode: 'reset' },
      { outcome: 'refused', refusedBy: expect.arrayContaining(['L0']), environment: 'staging' },
    ]);
    expect(text).not.toContain('-secret');
  });

  it('refuses and changes nothing when the audit cannot be written', async () => {
    world.writeFile('.airlock/reset-audit.jsonl', '');
    rmSync(join(world.workspace, AUDIT_FILE));
    mkdirSync(join(world.workspace, AUDIT_FILE));
    const report = await world.reset();
    expect(formatReport(report)).toContain(
      '  .airlock/reset-audit.jsonl is a folder; expected a regular file that can be appended to',
    );
    expect(report.outcome).toBe('refused');
    expect(await world.isKept()).toBe(true);
  });

  it('refuses when the server does not respond', async () => {
    world.writeSettings({ port: 1 });
    const report = await world.reset();
    expect(report).toMatchObject({ outcome: 'refused', failure: expect.stringContaining('does not answer') });
  });
});

describe('a database of another state than this checkout', () => {
  it('is recreated when it ran fewer migrations', async () => {
    const { migrations } = sampleModel;
    const { migrate } = await import('@airlock/database/internal');
    world.internals = {
      prepare: (config) => migrate({ config, migrations: migrations.slice(0, 1) }).then(() => undefined),
    };
    expect((await world.reset()).outcome).toBe('reset');
    expect((await world.reset()).outcome).toBe('reset');
  });

  it('is kept when a migration of another branch created something, and the fix says so', async () => {
    await world.sql('CREATE TABLE public.of_another_branch (n int)');
    const text = formatReport(await world.reset());
    expect(text).toContain('holds table public.of_another_branch, which no migration of this checkout creates');
    expect(text).toContain('if a migration of another branch created it, reset from that branch');
    expect(await world.isKept()).toBe(true);
    await world.sql('DROP TABLE public.of_another_branch');
    expect((await world.reset()).outcome).toBe('reset');
  });
});

describe('two resets at once', () => {
  it('A42: run one after the other, each on the current state', async () => {
    const [a, b] = await Promise.all([world.reset(), world.reset()]);
    expect([a.outcome, b.outcome]).toEqual(['reset', 'reset']);
    expect(await names()).toEqual([world.database, `${world.database}_tpl`]);
  });
});

describe('a state that changes between the checks and the swap', () => {
  it('stops a reset when a development server connects meanwhile', async () => {
    const held = world.options.app;
    let end = async () => {};
    world.internals = {
      prepare: async () => {
        const { connectClient } = await import('@airlock/database/internal');
        const { createSessionConfig } = await import('@airlock/database/internal');
        const client = await connectClient(held, { config: createSessionConfig('development'), purpose: 'api' });
        end = () => client.end();
      },
    };
    await expect(world.reset()).rejects.toThrow(/stopped before the swap: L5: process \d+ is connected/);
    expect(await world.isKept()).toBe(true);
    await end();
    world.internals = {};
    expect((await world.reset()).outcome).toBe('reset');
    expect(await names()).toEqual([world.database, `${world.database}_tpl`]);
  });

  it('A50: stops a reset when the address leads to production meanwhile', async () => {
    await world.provisionProduction('testing');
    let port = servers.test.port;
    const proxy = await startProxy(() => port);
    world.cleanups.push(() => proxy.stop());
    world.writeSettings({ port: proxy.port });
    world.record({ port: proxy.port });
    world.internals = {
      prepare: () => {
        port = servers.production.port;
        return Promise.resolve();
      },
    };
    await expect(world.reset()).rejects.toThrow();
    expect(await world.isKept()).toBe(true);
  });

  it('stops a reset when another database takes the name meanwhile', async () => {
    world.internals = {
      prepare: async () => {
        await world.server(`ALTER DATABASE ${world.database} RENAME TO ${world.database}_00000000`);
        await world.server(`CREATE DATABASE ${world.database}`);
      },
    };
    await expect(world.reset()).rejects.toThrow();
    expect(await world.isKept()).toBe(false);
    expect(await names()).toContain(`${world.database}_00000000`);
  });
});

describe('a physical copy of a server', () => {
  it('A47: is refused as a server that is not the recorded one; A48: is allowed if it is a copy of the test server itself', async () => {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'airlock-copy-'));
    const [original, copy] = [join(folder, 'original'), join(folder, 'copy')];
    const first = await startCluster({ dataDir: original, durable: false, keepFolder: true });
    const { stamp } = await provision(createAddresses(first, world.database, 'testing'));
    await first.stop();
    cpSync(original, copy, { recursive: true, preserveTimestamps: true });
    chmodSync(copy, 0o700);
    const cluster = await startCluster({ dataDir: copy, durable: false });
    try {
      expect(cluster.systemIdentifier).toBe(first.systemIdentifier);
      world.writeSettings({ port: cluster.port });
      world.record({ port: cluster.port });
      expect((await world.reset()).verdicts.find(({ verdict }) => verdict === 'refuses')?.layer).toBe('L4');
      world.record({ port: cluster.port, systemIdentifier: stamp.systemIdentifier });
      expect((await world.reset()).outcome).toBe('reset');
    } finally {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a reset that is killed', () => {
  const steps: Step[] = ['minted', 'created', 'cloned', 'prepared', 'renamed', 'swapped', 'dropped'];

  it.each(steps)(
    'A40, A41: after "%s" leaves a valid test database, and the next reset drops the remains',
    async (step) => {
      await runUntilKilled(step);
      expect(loadJournal(world.workspace, where())).toMatchObject({ database: world.database });
      await runAs(world.options.migration, async (client) => {
        expect(await ask(client, 'SELECT database_name FROM ops.environment')).toBe(world.database);
      });
      expect(await world.reset()).toMatchObject({ outcome: 'reset' });
      expect(await names()).toEqual([world.database, `${world.database}_tpl`]);
      expect(loadJournal(world.workspace, where())).toBeUndefined();
    },
  );

  it('A41: the next reset drops a database whose drop was interrupted and that accepts no connections any more', async () => {
    await runUntilKilled('swapped');
    const { retired } = JSON.parse(readFileSync(getJournalPath(world.workspace, where()), 'utf8')) as {
      retired: string;
    };
    // The state in which PostgreSQL leaves a database whose DROP DATABASE was interrupted.
    await world.server(`UPDATE pg_database SET datconnlimit = -2 WHERE datname = '${retired}'`);
    expect(await world.reset()).toMatchObject({ outcome: 'reset' });
    expect(await names()).toEqual([world.database, `${world.database}_tpl`]);
  });

  it('is not dropped if the generated name now belongs to another database', async () => {
    await runUntilKilled('prepared');
    const { fresh } = JSON.parse(readFileSync(getJournalPath(world.workspace, where()), 'utf8')) as { fresh: string };
    await world.server(`DROP DATABASE ${fresh}`);
    await world.server(`CREATE DATABASE ${fresh}`);
    await expect(world.reset()).rejects.toThrow('not dropped');
    expect(await names()).toContain(fresh);
  });
});

async function runUntilKilled(step: Step): Promise<void> {
  const script = fileURLToPath(new URL('./killed-reset.fixture.ts', import.meta.url));
  const loader = new URL('../../../../../tools/typescript.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', loader, script, step, world.workspace], { stdio: 'inherit' });
  children.push(child);
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}

async function describeDatabase(): Promise<object> {
  return runAs(servers.test.superuser, async (client) => {
    const { rows } = await client.query<object>(
      `SELECT oid::int, datacl::text AS acl, pg_get_userbyid(datdba) AS owner, datistemplate, datallowconn,
              shobj_description(oid, 'pg_database') AS seal
       FROM pg_database WHERE datname = '${world.database}'`,
    );
    return { ...rows[0] };
  });
}
