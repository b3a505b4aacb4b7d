import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadStatus } from '../migrate/database-status.js';
import { ask, runAs } from '../provision/provision.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';
import { askInside, createConfig, listDatabases } from '../refresh/refresh.fixture.js';
import { describeRehearsal } from './describe-rehearsal.js';
import {
  addSize,
  createRefreshed,
  createShop,
  createSource,
  indexNames,
  rewriteTotals,
  dropNote,
} from './shop.fixture.js';
import { judgeRehearsal } from '../migrate/rehearsal-record.js';
import { rehearse } from './rehearse.js';

const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
const RUNNER = fileURLToPath(new URL('./rehearse-runner.fixture.ts', import.meta.url));

let cluster: Cluster;
let source: ProvisionOptions;
let target: ProvisionOptions;

beforeAll(async () => {
  cluster = await startScratchCluster();
  source = await createSource(cluster);
}, 60_000);
afterAll(() => cluster.stop());

const run = (migrations = [createShop, rewriteTotals, indexNames, addSize], on = target) =>
  rehearse({ config: createConfig(on), migrations, usualMs: 300 });
const rehearsalOf = async (name: string, migrations = [createShop, rewriteTotals, indexNames, addSize]) =>
  (await loadStatus({ config: createConfig(target), migrations })).migrations.find((one) => one.name === name)
    ?.rehearsal;

describe('rehearse', () => {
  beforeEach(async () => {
    target = await createRefreshed(cluster, source);
  });

  it('records the lock and the rewrite of a migration, and the wait of the load, on a clone that it drops', async () => {
    const databases = await listDatabases(target);
    const { rehearsals } = await run();
    const [rewrite, index, size] = rehearsals;
    expect(rehearsals.map(({ name }) => name)).toEqual([rewriteTotals.name, indexNames.name, addSize.name]);
    const [statement] = rewrite!.statements;
    expect(statement).toMatchObject({
      statement: '1, ALTER TABLE public.orders',
      rewritten: ['public.orders'],
      scanned: ['public.orders'],
      load: { failures: [] },
    });
    const lock = statement!.locks.find(({ mode }) => mode === 'AccessExclusiveLock')!;
    expect(lock).toMatchObject({ table: 'public.orders', isLoaded: true, rows: 60_000 });
    // The lock lasts until the end of the transaction. A session of the load that comes soon after it waits for that.
    expect(lock.heldMs).toBeGreaterThan(statement!.durationMs + 400);
    // A statement of a few milliseconds may meet no operation at all; this one is longer than their pauses.
    expect(statement!.load.operations).toBeGreaterThan(0);
    expect(statement!.load.longestMs).toBeGreaterThan(lock.heldMs / 2);
    expect(rewrite!.longestWaitMs).toBe(Math.max(...rewrite!.statements.map(({ load }) => load.longestMs)));
    expect(index!.statements).toMatchObject([{ rewritten: [], scanned: ['public.orders'] }]);
    expect(index!.statements[0]!.locks.map(({ mode }) => mode)).not.toContain('AccessExclusiveLock');
    expect(index!.statements[0]!.locks.map(({ mode }) => mode)).toContain('ShareUpdateExclusiveLock');
    expect(size!.statements).toMatchObject([
      { locks: [{ mode: 'AccessExclusiveLock' }], rewritten: [], scanned: [] },
      { locks: [], rewritten: [] },
    ]);
    expect(describeRehearsal(rewrite!).join('\n')).toMatch(
      /statement 1, ALTER TABLE public.orders: [\d.]+ ms; .*ACCESS EXCLUSIVE on public.orders of about 60000 rows for \d+ ms; public.orders rewritten; .*the load waited at most \d+ ms/,
    );
    expect(await listDatabases(target)).toEqual(databases);
    expect(await askInside(target, `SELECT count(*)::int FROM ops.migrations`)).toBe(1);
    expect(
      await askInside(
        target,
        `SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'total'`,
      ),
    ).toBe('integer');
  }, 60_000);

  it('shows each record beside its migration, and none once a statement is another one', async () => {
    await run();
    expect(await rehearsalOf(rewriteTotals.name)).toMatchObject({ serverMajor: 18, longestWaitMs: expect.any(Number) });
    const edited = { ...rewriteTotals, sha256: 'f'.repeat(64) };
    expect(await rehearsalOf(rewriteTotals.name, [createShop, edited])).toBeUndefined();
    await askInside(target, `UPDATE ops.rehearsals SET server_major = 17 WHERE name = '${rewriteTotals.name}'`);
    expect(await rehearsalOf(rewriteTotals.name)).toBeUndefined();
  });

  it('forgets the record of a migration that now fails, and drops the clone', async () => {
    await run();
    expect(await rehearsalOf(addSize.name)).toBeDefined();
    const failing = { ...addSize, statements: [...addSize.statements, { sql: 'SELECT 1/0' }] };
    await expect(run([createShop, failing])).rejects.toThrow('division by zero');
    expect(await rehearsalOf(addSize.name)).toBeUndefined();
    expect(await listDatabases(target)).not.toContain(`${target.app.database}_trial`);
  }, 60_000);

  it('counts the lock on a table that the load cannot use for as long as it was held', async () => {
    await askInside(target, `REVOKE ALL ON notes FROM airlock_system, ${target.app.user}`);
    const { rehearsals } = await run([createShop, dropNote]);
    const [{ longestWaitMs, statements }] = rehearsals as [(typeof rehearsals)[0]];
    expect(statements[0]!.locks).toMatchObject([
      { table: 'public.notes', mode: 'AccessExclusiveLock', isLoaded: false },
    ]);
    expect(longestWaitMs).toBeGreaterThan(700);
    expect(longestWaitMs).toBe(statements[0]!.locks[0]!.heldMs);
  }, 60_000);

  it('does nothing when no migration is pending', async () => {
    expect((await run([createShop])).rehearsals).toEqual([]);
  });

  it('is refused in an environment that takes no copies, in a database that no refresh filled, and with a part of the persons', async () => {
    await expect(run(undefined, source)).rejects.toThrow(
      'ENVIRONMENT: is production; expected staging [TargetTakesNoCopies]',
    );
    const databases = await listDatabases(target);
    await askInside(target, 'UPDATE ops.refreshed SET percent = 5');
    await expect(run()).rejects.toThrow(
      'has the rows of 5 % of the persons; expected a copy of the size of production',
    );
    await askInside(target, 'DELETE FROM ops.refreshed');
    await expect(run()).rejects.toThrow('was not filled by airlock db refresh; expected a copy');
    expect(await listDatabases(target)).toEqual(databases);
  });

  it('leaves, when it is killed, no session and no record, and a clone that the next run drops', async () => {
    const name = `${target.app.database}_trial`;
    const { host, port, password } = cluster.superuser;
    const names = { host, port, password: password.reveal(), target: target.app.database };
    const runner = spawn(process.execPath, ['--import', HOOKS, RUNNER, JSON.stringify(names)], { stdio: 'inherit' });
    const ended = once(runner, 'exit');
    const count = (where: string) =>
      runAs(target.admin, (client) =>
        ask(client, `SELECT count(*)::int FROM pg_stat_activity WHERE datname = '${name}' AND ${where}`),
      );
    // A session of the load waits for the lock of the migration.
    while ((await count(`wait_event_type = 'Lock' AND application_name LIKE '%rehearsal-load%'`)) === 0)
      await sleep(20);
    runner.kill('SIGKILL');
    await ended;
    expect(await listDatabases(target)).toContain(name);
    while ((await count('true')) !== 0) await sleep(20);
    expect(await askInside(target, 'SELECT count(*)::int FROM ops.rehearsals')).toBe(0);
    expect((await run([createShop, addSize])).rehearsals).toHaveLength(1);
    expect(await listDatabases(target)).not.toContain(name);
  });

  it('refuses to drop a database of the name of its clone that it did not make', async () => {
    const name = `${target.app.database}_trial`;
    await runAs(target.admin, (client) => client.query(`CREATE DATABASE ${name}`));
    await runAs({ ...target.admin, database: name }, (client) => client.query('CREATE TABLE public.mine ()'));
    await expect(run()).rejects.toThrow(`database "${name}": was not made by a rehearsal`);
    await runAs(target.admin, (client) => client.query(`DROP DATABASE ${name}`));
    // A clone of this very database is one that a rehearsal was killed with.
    await runAs(target.admin, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${target.app.database}`));
    const restamp = (oid: string) =>
      runAs({ ...target.admin, database: name }, (client) =>
        client.query(`UPDATE ops.environment SET database_oid = ${oid}`),
      );
    await restamp('1');
    await expect(run()).rejects.toThrow('was not made by a rehearsal');
    await restamp(`(SELECT oid FROM pg_database WHERE datname = '${target.app.database}')`);
    expect((await run([createShop, addSize])).rehearsals).toHaveLength(1);
    expect(await listDatabases(target)).not.toContain(name);
  });
});

describe('judgeRehearsal', () => {
  const usual = { longestWaitMs: 40, usualP99Ms: 5, p99Ms: 30 };
  it.each([
    ['accepts short waits', usual, []],
    ['accepts a wait of the limit', { ...usual, longestWaitMs: 2_000 }, []],
    ['rejects a longer one', { ...usual, longestWaitMs: 2_001 }, ['a session waits 2001 ms; expected at most 2000 ms']],
    ['accepts much slower operations that are still fast', { ...usual, p99Ms: 250 }, []],
    [
      'rejects more',
      { ...usual, p99Ms: 251 },
      ['1 of 100 operations takes 251 ms, and 5 ms without the migration; expected at most 250 ms'],
    ],
    ['judges no share of fewer than 100 operations', { ...usual, p99Ms: null }, []],
    ['measures by the usual times of the same server', { ...usual, usualP99Ms: 40, p99Ms: 390 }, []],
  ])('%s', (_, figures, problems) => {
    expect(judgeRehearsal(figures)).toEqual(problems);
  });
});
