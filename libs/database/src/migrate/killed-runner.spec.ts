import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { accountMigrations, addInterest, createAccounts, indexBalances, noteInterest } from './accounts.fixture.js';
import type { MigrationEvent } from './events.js';
import { migrate } from './migrate.js';
import { type ScratchDatabase, useScratchCluster } from './scratch-database.fixture.js';

const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
const RUNNER = fileURLToPath(new URL('./runner.fixture.ts', import.meta.url));
const FOREVER_MS = 600_000;

const cluster = useScratchCluster();
const runners: ChildProcess[] = [];

afterEach(() => {
  for (const runner of runners.splice(0)) runner.kill('SIGKILL');
});

type Reached = Pick<MigrationEvent, 'type'> & { readonly name?: string };
const started = (name: string): Reached => ({ type: 'started', name });
const applied = (name: string): Reached => ({ type: 'applied', name });

describe('a runner that is killed with SIGKILL', () => {
  it.each<[string, Reached, string | undefined]>([
    ['before the first migration', { type: 'planned' }, undefined],
    ['between two migrations', applied(createAccounts.name), undefined],
    [
      'inside a transaction that waits for a lock',
      started(addInterest.name),
      'SELECT * FROM public.accounts FOR UPDATE',
    ],
    ['after a data migration', applied(addInterest.name), undefined],
    ['while it builds an index concurrently', started(indexBalances.name), 'SELECT * FROM public.accounts'],
    ['after the index, before the last migration', applied(indexBalances.name), undefined],
    ['inside the last migration', started(noteInterest.name), 'SELECT * FROM public.accounts'],
    ['at the end', applied(noteInterest.name), undefined],
  ])('%s leaves a database that the next run completes, once', async (_, reached, obstacle) => {
    const database = await cluster.create();
    const release = await killRunner(database, reached, obstacle);
    const next = migrate({ config: database.config, migrations: accountMigrations, timing: { lockTimeoutMs: 500 } });
    await release();
    await expect(next).resolves.toMatchObject({ head: noteInterest.name });
    expect(await readState(database.superuser)).toEqual({
      balance: '110',
      ledger: accountMigrations.map(({ name }) => name),
      invalid: [],
    });
  });

  it('is recorded as interrupted by the run that finishes its work', async () => {
    const database = await cluster.create();
    await killRunner(database, applied(createAccounts.name));
    await migrate({ config: database.config, migrations: accountMigrations });
    const { rows } = await database.superuser.query('SELECT outcome FROM ops.migration_runs ORDER BY id');
    expect(rows).toEqual([{ outcome: 'interrupted' }, { outcome: 'done' }]);
  });
});

/**
 * Kills a runner at the event. Given an obstacle, only once the runner waits for it. Returns a function that removes
 * it.
 */
async function killRunner(database: ScratchDatabase, reached: Reached, obstacle?: string) {
  const { port, database: name } = database.config.database.app;
  if (obstacle !== undefined) await migrate({ config: database.config, migrations: before(reached) });
  const app = await database.connect('app');
  await app.query(obstacle === undefined ? 'SELECT' : `BEGIN ISOLATION LEVEL REPEATABLE READ; ${obstacle}`);
  // Without an obstacle the runner stops by itself.
  const stopAt = obstacle === undefined ? [JSON.stringify(reached)] : [];
  const words = ['--import', HOOKS, RUNNER, String(port), name, String(FOREVER_MS), ...stopAt];
  const runner = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  runners.push(runner);
  for await (const line of createInterface(runner.stdout)) if (isReached(JSON.parse(line) as Reached, reached)) break;
  if (obstacle !== undefined) await untilSomebodyWaits(database.superuser);
  const ended = once(runner, 'exit');
  runner.kill('SIGKILL');
  await ended;
  return () => app.query('COMMIT');
}

/** Migrations that must be applied first, so that the obstacle can lock their tables. */
function before(reached: Reached) {
  const index = accountMigrations.findIndex(({ name }) => reached.type === 'started' && reached.name === name);
  return accountMigrations.slice(0, index);
}

function isReached(event: Reached, { type, name }: Reached): boolean {
  return event.type === type && (name === undefined || event.name === name);
}

async function untilSomebodyWaits(client: Client): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
  while ((await client.query(sql)).rowCount === 0);
}

async function readState(client: Client) {
  const balances = await client.query<{ balance: string }>('SELECT balance FROM public.accounts');
  const ledger = await client.query<{ name: string }>('SELECT name FROM ops.migrations ORDER BY name');
  const invalid = await client.query('SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid');
  return { balance: balances.rows[0]?.balance, ledger: ledger.rows.map(({ name }) => name), invalid: invalid.rows };
}
