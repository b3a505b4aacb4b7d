import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { migrate } from '../migrate/migrate.js';
import { type ScratchDatabase, useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { addPeople, before, countTouches, fillNickname, protect, SHORT_LIMITS } from './people.fixture.js';
import { runBackfill } from './run-backfill.js';

const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
const RUNNER = fileURLToPath(new URL('./backfill-runner.fixture.ts', import.meta.url));
const FOREVER_MS = 600_000;
const ROWS = 3_000;

const cluster = useScratchCluster();
const runners: ChildProcess[] = [];

afterEach(() => {
  for (const runner of runners.splice(0)) runner.kill('SIGKILL');
});

async function create(): Promise<ScratchDatabase> {
  const database = await cluster.create('staging');
  await migrate({ config: database.config, migrations: before });
  await addPeople(database.superuser, ROWS);
  await database.superuser.query(protect(true));
  return database;
}

const goOn = ({ config }: ScratchDatabase) =>
  runBackfill({ config, migrations: before, backfills: [fillNickname], name: fillNickname.name, limits: SHORT_LIMITS });

const walked = async (client: Client) =>
  (await client.query<{ rows: number }>('SELECT pass_rows::int AS rows FROM ops.backfills')).rows[0]?.rows;

describe('a backfill that is killed with SIGKILL', () => {
  it('in the middle of a batch loses that batch alone, and the next run changes each row once', async () => {
    const database = await create();
    const app = await database.connect('app');
    // The row is in the second batch, which has then changed rows before it.
    await app.query(`BEGIN; SET LOCAL app.user_id = 'user_0'; SELECT FROM public.people WHERE id = 75 FOR UPDATE`);
    const runner = start(database);
    await untilSomebodyWaits(database.superuser);
    const done = await walked(database.superuser);
    await kill(runner);
    expect(done).toBe(10);
    // The server ends the transaction of the killed process when it notices that its client has gone.
    expect(await countTouches(database.superuser)).toEqual({ 0: ROWS - 10, 1: 10 });
    await app.query('COMMIT');
    expect(await goOnAfterKills(database)).toMatchObject({ changed: ROWS });
    expect(await countTouches(database.superuser)).toEqual({ 1: ROWS });
  });

  it('again and again, at any moment, still changes each row once', async () => {
    const database = await create();
    let kills = 0;
    while (kills < 5) {
      const runner = start(database);
      const lines = createInterface(runner.stdout ?? process.stdin);
      const ended = once(runner, 'exit').then(() => 'ended' as const);
      const began = once(lines, 'line').then(() => 'began' as const);
      if ((await Promise.race([ended, began])) === 'began') await Promise.race([ended, sleep(Math.random() * 40)]);
      if (runner.exitCode !== null) break;
      await kill(runner);
      kills += 1;
      expect((await countTouches(database.superuser))[2]).toBeUndefined();
    }
    expect(kills).toBeGreaterThan(2);
    expect(await goOnAfterKills(database)).toMatchObject({ changed: ROWS });
    expect(await countTouches(database.superuser)).toEqual({ 1: ROWS });
  });
});

describe('two runs at once', () => {
  it('refuses the second by the name of the first, which goes on', async () => {
    const database = await create();
    const app = await database.connect('app');
    await app.query(`BEGIN; SET LOCAL app.user_id = 'user_0'; SELECT FROM public.people WHERE id = 75 FOR UPDATE`);
    const runner = start(database);
    await untilSomebodyWaits(database.superuser);
    await expect(goOn(database)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /^backfill lock: held by pid \d+ \([^)]*backfill fill-nickname[^)]*\); expected it to finish\n/,
      ),
    });
    await app.query('COMMIT');
    expect(await once(runner, 'exit')).toEqual([0, null]);
    expect(await countTouches(database.superuser)).toEqual({ 1: ROWS });
  });
});

function start({ config }: ScratchDatabase): ChildProcess {
  const { port, database } = config.database.app;
  const words = ['--import', HOOKS, RUNNER, String(port), database, String(FOREVER_MS)];
  const runner = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  runners.push(runner);
  return runner;
}

async function kill(runner: ChildProcess): Promise<void> {
  const ended = once(runner, 'exit');
  runner.kill('SIGKILL');
  await ended;
}

/** The lock of a killed run lasts until the server notices that its client has gone. */
async function goOnAfterKills(database: ScratchDatabase): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await goOn(database);
    } catch (error) {
      if (attempt > 50 || !String(error).includes('backfill lock')) throw error;
      await sleep(100);
    }
}

async function untilSomebodyWaits(client: Client): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
  while ((await client.query(sql)).rowCount === 0) await sleep(5);
}
