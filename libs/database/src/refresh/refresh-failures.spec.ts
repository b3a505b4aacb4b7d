import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Secret } from '@airlock/config';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { constant, personal } from '../model/column-classes.js';
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

let cluster: Cluster;
let source: ProvisionOptions;
let readers = 0;
let target: ProvisionOptions;
const runners: ChildProcess[] = [];

beforeAll(async () => {
  cluster = await startScratchCluster();
  source = await createDatabase(cluster, { environment: 'production', model: everyType, sql: plantPeople(PEOPLE) });
}, 60_000);
beforeEach(async () => {
  const sql = `INSERT INTO teams VALUES (7, 'of staging')`;
  target = await createDatabase(cluster, { environment: 'staging', model: everyType, sql });
});
afterEach(() => {
  for (const runner of runners.splice(0)) runner.kill('SIGKILL');
});
afterAll(() => cluster.stop());

const readTeams = () => askInside(target, `SELECT string_agg(title, ',' ORDER BY id) FROM teams`);
const OLD = 'of staging';
const NEW = 'Team 1,Team 2,Team 3';

/** Kills the process with SIGKILL as soon as it is about to run a statement with this text on the source. */
async function killAt(stopAt: string): Promise<void> {
  const runner = spawn(process.execPath, ['--import', HOOKS, RUNNER, describeRun(stopAt)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  runners.push(runner);
  for await (const line of createInterface(runner.stdout)) if (line === 'stopped') break;
  const ended = once(runner, 'exit');
  runner.kill('SIGKILL');
  await ended;
}

function describeRun(stopAt: string): string {
  const { host, port, password } = cluster.superuser;
  const names = { source: source.app.database, target: target.app.database, stopAt };
  return JSON.stringify({ host, port, password: password.reveal(), ...names });
}

describe('a refresh that is killed', () => {
  it.each([
    ['before its snapshot', 'BEGIN ISOLATION'],
    ['after it created the new database', 'relpersistence'],
    ['before its first row', 'COPY (SELECT "id", "user_id", "email"'],
    ['between two tables', 'COPY (SELECT "id", "user_id", "placed"'],
    ['after the swap', 'ROLLBACK'],
  ])(
    '%s leaves a target that serves, and the next run cleans up',
    async (_, stopAt) => {
      const at = stopAt === 'relpersistence' ? 'pg_attribute' : stopAt;
      await killAt(at);
      expect(await readTeams()).toBe(stopAt === 'ROLLBACK' ? NEW : OLD);
      // The server notices that the process is gone.
      for (let tries = 0; tries < 100 && (await countSessions()) > 0; tries += 1) await sleep(50);
      await runRefresh({ source, target, model: everyType });
      expect(await readTeams()).toBe(NEW);
      expect(await listDatabases(target)).toEqual([target.app.database, `${target.app.database}_old`]);
    },
    60_000,
  );

  const countSessions = async () =>
    Number(
      await runAs(target.admin, (admin) =>
        ask(admin, `SELECT count(*)::int FROM pg_stat_activity WHERE datname = '${nextOf(target.app.database)}'`),
      ),
    );
});

describe('a refresh that fails', () => {
  it.each([
    [
      'loses its source',
      'SourceWasLost',
      {},
      async () => {
        await sleep(100);
        for (let tries = 0; tries < 400; tries += 1) {
          const sql = `SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE datname = '${source.app.database}' AND query LIKE 'COPY (SELECT %"people"%'`;
          if (Number(await runAs(source.admin, (admin) => ask(admin, sql))) > 0) return;
          await sleep(5);
        }
      },
    ],
    [
      'finds a person in a column that is not declared as one',
      'LeakFound',
      { notes: 'internal', full_name: 'internal', email: 'internal' },
    ],
    ['finds phone numbers', 'LeakFound', { phone: 'internal' }],
    ['cannot satisfy a domain', 'MaskFailed', { pin: personal('phone') }],
    ['breaks a check', 'CopyFailed', { state: personal('text') }],
  ] as const)(
    'because it %s leaves the target as it was, says so by name and quotes no value',
    async (_, reason, changes, disturb = async () => {}) => {
      const classes = { ...everyType.classes, people: { ...everyType.classes.people, ...changes } };
      const [error] = await Promise.all([
        runRefresh({ source, target, model: { ...everyType, classes } }).catch((thrown: unknown) => thrown),
        disturb(),
      ]);
      expect(error).toMatchObject({ name: 'RefreshFailure', reason, exitCode: 1 });
      expect((error as Error).message).not.toMatch(/canary|real-mail/i);
      expect(await readTeams()).toBe(OLD);
      expect(await listDatabases(target)).toEqual([target.app.database]);
    },
  );

  it('because a canary is in the result', async () => {
    const classes = {
      ...everyType.classes,
      people: { ...everyType.classes.people, diagnosis: personal(constant('Jane Doe')) },
    };
    await expect(
      runRefresh({ source, target, model: { ...everyType, classes }, canaries: ['jane doe'] }),
    ).rejects.toThrow(`\n  people: ${PEOPLE} rows hold a canary\n`);
  });
});

describe('two refreshes of one database', () => {
  it('do not run at the same time, and the second changes nothing', async () => {
    const results = await Promise.allSettled([1, 2].map(() => runRefresh({ source, target, model: everyType })));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { reason: 'AnotherRefreshRuns', exitCode: 3 },
    });
    expect(await readTeams()).toBe(NEW);
  });
});

describe('a refresh of a database in use', () => {
  it('ends its sessions, which then find the new rows under the old name', async () => {
    await runAs(target.app, async (client) => {
      client.on('error', () => undefined);
      expect(await ask(client, 'SELECT title FROM teams')).toBe(OLD);
      await runRefresh({ source, target, model: everyType });
      await expect(client.query('SELECT 1')).rejects.toThrow();
    });
    expect(await runAs(target.app, (client) => ask(client, 'SELECT count(*)::int FROM teams'))).toBe(3);
    const old = { ...target, app: { ...target.app, database: `${target.app.database}_old` } };
    expect(await askInside(old, 'SELECT title FROM teams')).toBe(OLD);
  });
});

describe('a refresh is refused', () => {
  const refuse = (options: Partial<Parameters<typeof runRefresh>[0]>) =>
    runRefresh({ source, target, model: everyType, ...options });
  const other = (environment: 'production' | 'development' | 'testing' | 'preview'): ProvisionOptions => ({
    ...target,
    environment,
  });

  it.each([
    ['for production, whatever the source', 'TargetTakesNoCopies', () => refuse({ target: other('production') })],
    ['for testing', 'TargetTakesNoCopies', () => refuse({ target: other('testing') })],
    ['for development', 'TargetTakesNoCopies', () => refuse({ target: other('development') })],
    [
      'into a database of another environment',
      'TargetIsUnknown',
      () => refuse({ target: { ...target, app: source.app, migration: source.migration } }),
    ],
    ['from the target itself', 'SourceIsTarget', () => refuse({ source: target })],
    [
      'from a database of staging',
      'SourceFeedsNoCopies',
      async () => refuse({ source: await createDatabase(cluster, { environment: 'staging', model: everyType }) }),
    ],
    [
      'from the original',
      'SourceIsOriginal',
      async () => {
        const original = await createDatabase(cluster, { environment: 'production', model: everyType });
        await runAs(inside(original), (client) =>
          client.query('UPDATE ops.environment SET database_name = current_database()'),
        );
        return refuse({ source: original });
      },
    ],
    [
      'from a database without a stamp',
      'SourceIsUnknown',
      async () => refuse({ source: { ...source, app: { ...source.app, database: 'postgres' } } }),
    ],
    [
      'from an empty source',
      'SourceIsEmpty',
      async () => refuse({ source: await createDatabase(cluster, { environment: 'production', model: everyType }) }),
    ],
    [
      'from a source of other migrations',
      'SourceHasOtherSchema',
      async () => {
        const older = { ...everyType, migrations: [] };
        return refuse({ source: await createDatabase(cluster, { environment: 'production', model: older }) });
      },
    ],
    [
      'from a source whose column has another type',
      'SourceHasOtherSchema',
      async () => refuse({ source: await alter('ALTER TABLE people ALTER score TYPE bigint') }),
    ],
    [
      'from a source whose table is a view',
      'SourceHasOtherSchema',
      async () =>
        refuse({
          source: await alter(
            'DROP TABLE payments; CREATE VIEW payments AS SELECT 1 AS id, 1::bigint AS account, now()::date AS paid',
          ),
        }),
    ],
    [
      'with a column without a class',
      'UnfitClasses',
      () => refuse({ classes: { ...everyType.classes, teams: { id: 'internal', title: 'public' } } }),
    ],
    [
      'with a mask that does not fit',
      'UnfitClasses',
      () => refuse({ classes: { ...everyType.classes, teams: { id: 'internal', title: personal(), lead: 'key' } } }),
    ],
  ] as const)('%s: %s', async (_, reason, attempt) => {
    await expect(attempt()).rejects.toMatchObject({
      name: 'RefreshRefusal',
      reason,
      exitCode: 3,
      message: expect.stringMatching(/; expected /),
    });
    expect(await readTeams()).toBe(OLD);
    expect(await listDatabases(target)).not.toContain(nextOf(target.app.database));
  });

  it.each([
    ['a database of an operator', 'next', 'CREATE TABLE kept (id int)', () => 'template0'],
    ['a database of an operator', 'old', 'CREATE TABLE kept (id int)', () => 'template0'],
    ['only a schema', 'old', 'CREATE SCHEMA kept; CREATE TYPE kept.kind AS ENUM ()', () => 'template0'],
    ['a copy of the target', 'old', 'SELECT 1', () => target.app.database],
    ['a copy of the source', 'next', 'SELECT 1', () => source.app.database],
  ])('and leaves %s that is named NAME_%s', async (_, suffix, sql, template) => {
    const name = `${target.app.database}_${suffix}`;
    await runAs(source.admin, (admin) => admin.query(`CREATE DATABASE ${name} TEMPLATE ${template()}`));
    const taken = { ...source, app: { ...source.app, database: name } };
    await runAs(inside(taken), (client) => client.query(sql));
    await expect(refuse({})).rejects.toMatchObject({ reason: 'NameIsTaken', exitCode: 3 });
    // Also as the source itself.
    if (template() === source.app.database)
      await expect(refuse({ source: taken })).rejects.toMatchObject({ name: 'RefreshRefusal' });
    expect(await listDatabases(target)).toEqual([target.app.database, name]);
    expect(await readTeams()).toBe(OLD);
  });

  async function alter(sql: string): Promise<ProvisionOptions> {
    const made = await createDatabase(cluster, { environment: 'production', model: everyType, sql: plantPeople(5) });
    await runAs(inside(made), (client) => client.query(`ALTER EVENT TRIGGER airlock_refuse_drop DISABLE; ${sql}`));
    return made;
  }

  it.each([
    ['without a right', 100, ''],
    ['that may not read a table', 100, 'GRANT USAGE ON SCHEMA ops TO $; GRANT SELECT ON ALL TABLES IN SCHEMA ops TO $'],
    ['from which row-level security hides rows', 100, 'GRANT pg_read_all_data TO $'],
    ['without temporary tables, for a part of the rows', 5, 'GRANT pg_read_all_data TO $; ALTER ROLE $ BYPASSRLS'],
  ])('for a role of the source %s', async (_, percent, grants) => {
    const role = `reader${(readers += 1)}`;
    const password = new Secret('a-password-of-this-role');
    await runAs(inside(source), (admin) =>
      admin.query(
        `CREATE ROLE ${role} LOGIN PASSWORD '${password.reveal()}'; GRANT CONNECT ON DATABASE ${source.app.database} TO ${role};
         ${grants.replaceAll('$', role)}`,
      ),
    );
    const attempt = runAs({ ...source.app, user: role, password }, (client) =>
      refresh({ ...everyType, config: createConfig(target), source: client, key: KEY, percent }),
    );
    await expect(attempt).rejects.toMatchObject({ reason: 'SourceIsUnreadable', exitCode: 3 });
    expect(await readTeams()).toBe(OLD);
  });
});
