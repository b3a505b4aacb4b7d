import { appendFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Client } from 'pg';
import type { Config } from '@airlock/config';
import { type Cluster, copyFolder, nameOwnedFolder, startCluster } from '@airlock/embedded-postgres';
import { withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { migrate } from '../migrate/migrate.js';
import { createScratchConfig } from '../migrate/scratch-config.fixture.js';
import { type ScratchDatabase, useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { provision } from '../provision/provision.js';
import type { BackfillEvent } from './backfill-events.js';
import { type Limits, nextBatchRows } from './limits.js';
import { addPeople, before, countTouches, fillNickname, SHORT_LIMITS } from './people.fixture.js';
import { runBackfill } from './run-backfill.js';

const cluster = useScratchCluster();

async function create(rows: number): Promise<ScratchDatabase> {
  const database = await cluster.create('staging');
  await migrate({ config: database.config, migrations: before });
  await addPeople(database.superuser, rows);
  return database;
}

type Target = Pick<ScratchDatabase, 'config'>;

function run({ config }: Target, limits: Partial<Limits>, onEvent: (event: BackfillEvent) => void) {
  const target = { config, migrations: before, backfills: [fillNickname], name: fillNickname.name };
  return runBackfill({ ...target, limits: { ...SHORT_LIMITS, ...limits }, onEvent });
}

async function until(isReached: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isReached())) await sleep(5);
}

describe('a run', () => {
  it('that waits for a lock rolls back its batch, names the blocking session, and goes on in smaller batches', async () => {
    const database = await create(200);
    const app = await database.connect('app');
    await app.query('BEGIN; SELECT FROM public.people WHERE id = 75 FOR UPDATE');
    const retries: BackfillEvent[] = [];
    await run(database, { attempts: 100 }, (event) => {
      if (event.type !== 'retrying') return;
      if (retries.push(event) === 3) void app.query('COMMIT');
    });
    expect(retries[2]).toMatchObject({
      reason: 'a batch waited too long for a lock',
      batchRows: 5,
      blockers: [{ application: expect.stringContaining('spec') }],
    });
    expect(await countTouches(database.superuser)).toEqual({ 1: 200 });
  });

  it('ends with its progress when a lock is never free', async () => {
    const database = await create(100);
    const app = await database.connect('app');
    await app.query('BEGIN; SELECT FROM public.people WHERE id = 75 FOR UPDATE');
    const attempt = run(database, { attempts: 2 }, () => {});
    await expect(attempt).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /lock timeout \(55P03\).*blocked by: pid.*earlier ones remain\n  airlock db backfill fill-nickname/,
      ),
    });
    await app.query('COMMIT');
    expect((await run(database, {}, () => {})).changed).toBe(100);
  });

  it('lets sessions that wait for its batch go first, and makes the next batch smaller', async () => {
    const database = await create(400);
    // Each row takes a while, so that a batch holds its locks long enough to be waited for.
    await database.superuser.query(`
      CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.005); RETURN NEW; END';
      CREATE TRIGGER dawdle BEFORE UPDATE OF nickname ON public.people FOR EACH ROW EXECUTE FUNCTION public.dawdle()`);
    const app = await database.connect('app');
    const pauses: string[] = [];
    const sizes: number[] = [];
    let isWriting = true;
    const writes = (async () => {
      for (let id = 3; isWriting; id = (id % 399) + 3)
        await app.query('UPDATE public.people SET name = name WHERE id = $1', [id]);
    })();
    await run(database, { firstBatchRows: 40, progressMs: 0 }, (event) => {
      if (event.type === 'progress') sizes.push(event.batchRows);
      if (event.type !== 'paused') return;
      pauses.push(event.reason);
      isWriting = pauses.length < 2;
    });
    isWriting = false;
    await writes;
    expect(pauses[0]).toMatch(/^for \d+ ms, its batch was waited for by pid \d+ \(.*spec/);
    expect(Math.min(...sizes)).toBeLessThan(40);
    expect(await countTouches(database.superuser)).toEqual({ 1: 400 });
  });

  it('pauses between two batches while a session waits for the table', async () => {
    const database = await create(300);
    const [reader, migrator] = [await database.connect('app'), await database.connect('migration')];
    await reader.query('BEGIN; SELECT FROM public.people LIMIT 1');
    await migrator.query(`SET lock_timeout = 0; SET ROLE ${database.config.database.app.database}_owner`);
    const altered = migrator.query('ALTER TABLE public.people ADD COLUMN note text');
    await until(async () => (await database.superuser.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount === 1);
    const events: BackfillEvent[] = [];
    const running = run(database, {}, (event) => events.push(event));
    await until(() => events.some(({ type }) => type === 'paused'));
    await sleep(100);
    expect(events.map(({ type }) => type)).toEqual(['paused']);
    expect(events[0]).toMatchObject({
      reason: expect.stringMatching(/^public\.people: pid \d+ .* waits for a lock on it$/),
    });
    await reader.query('COMMIT');
    await altered;
    expect((await running).changed).toBe(300);
  });

  it('stops at a signal, and the next one goes on', async () => {
    const database = await create(300);
    const controller = new AbortController();
    const { config } = database;
    const attempt = runBackfill({
      ...{ config, migrations: before, backfills: [fillNickname], name: fillNickname.name, limits: SHORT_LIMITS },
      signal: controller.signal,
      onEvent: ({ type }) => type === 'progress' && controller.abort(new Error('interrupted')),
    });
    await expect(attempt).rejects.toThrow(/^fill-nickname: interrupted; [^]*goes on from there$/);
    expect((await countTouches(database.superuser))[0]).toBeGreaterThan(200);
    expect((await run(database, {}, () => {})).changed).toBe(300);
  });
});

describe('nextBatchRows', () => {
  const limits = { batchMs: 500, largestBatchRows: 1_000 } as Limits;

  it.each([
    [100, 250, 200],
    [100, 1, 200],
    [100, 625, 80],
    [100, 60_000, 50],
    [1, 60_000, 1],
    [900, 10, 1_000],
  ])('after %d rows in %d ms takes %d', (rows, durationMs, next) => {
    expect(nextBatchRows(rows, durationMs, limits)).toBe(next);
  });
});

describe('with a replica', () => {
  let servers: { primary: Cluster; standby: Cluster };
  let config: Config;

  beforeAll(async () => {
    servers = await startReplicated();
    const { superuser, port } = servers.primary;
    config = createScratchConfig(port, 'replicated_test', 'staging');
    const { app, migration = app } = config.database;
    await provision({ admin: superuser, app, migration, environment: 'staging' });
    await migrate({ config, migrations: before });
  });
  afterAll(async () => {
    await servers.standby.stop();
    await servers.primary.stop();
  });

  const onServer = <T>(server: Cluster, database: string, work: (client: Client) => Promise<T>) =>
    withClient({ ...server.superuser, database }, { config: createSessionConfig('staging'), purpose: 'spec' }, work);

  it('pauses while it lags behind, and goes on when it has caught up', async () => {
    const { primary, standby } = servers;
    await onServer(primary, 'replicated_test', async (client) => {
      await addPeople(client, 2_000);
      const isBehind = async () =>
        (await client.query('SELECT FROM ops.replica_lag() WHERE lag_bytes > 0')).rowCount !== 0;
      await until(
        async () => (await client.query('SELECT FROM ops.replica_lag()')).rowCount === 1 && !(await isBehind()),
      );
      await onServer(standby, 'postgres', (session) => session.query('SELECT pg_wal_replay_pause()'));
      const events: BackfillEvent[] = [];
      const limits = { maxLagMs: 60_000, maxLagBytes: 20_000 };
      const running = run({ config }, limits, (event) => events.push(event));
      await until(() => events.some(({ type }) => type === 'paused'));
      const changed = (await countTouches(client))[1] ?? 0;
      expect(changed).toBeLessThan(2_000);
      expect(events.findLast(({ type }) => type === 'paused')).toMatchObject({
        reason: expect.stringMatching(/^replica standby: is [\d.]+ s and \d+ bytes behind$/),
      });
      await sleep(200);
      expect((await countTouches(client))[1] ?? 0).toBe(changed);
      await onServer(standby, 'postgres', (session) => session.query('SELECT pg_wal_replay_resume()'));
      expect((await running).changed).toBe(2_000);
      expect(await countTouches(client)).toEqual({ 1: 2_000 });
    });
  });

  it('refuses to run when the lag may not be seen', async () => {
    const { primary } = servers;
    await onServer(primary, 'replicated_test', async (client) => {
      await client.query(
        'CREATE ROLE blind; GRANT USAGE, CREATE ON SCHEMA ops TO blind; ALTER FUNCTION ops.replica_lag() OWNER TO blind',
      );
      const again = runBackfill({
        ...{ config, migrations: before, backfills: [fillNickname], name: fillNickname.name },
        isRestart: true,
      });
      await expect(again).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining('ops.replica_lag(): shows no lag of 1 replicas'),
      });
      await client.query('ALTER FUNCTION ops.replica_lag() OWNER TO CURRENT_USER');
    });
  });
});

/** A server and a standby that streams from it. */
async function startReplicated(): Promise<{ primary: Cluster; standby: Cluster }> {
  const [source, copy] = ['primary', 'standby'].map((purpose) => join(tmpdir(), nameOwnedFolder(purpose))) as [
    string,
    string,
  ];
  // Shut down cleanly, its folder may be copied.
  await (await startCluster({ dataDir: source, durable: true })).stop();
  await copyFolder(source, copy);
  const primary = await startCluster({ dataDir: source, durable: true, keepFolder: false });
  const { host, port, user, password } = primary.superuser;
  const address = `host=${host} port=${port} user=${user} password=${password.reveal()} application_name=standby`;
  appendFileSync(join(copy, 'postgresql.auto.conf'), `primary_conninfo = '${address}'\n`);
  writeFileSync(join(copy, 'standby.signal'), '');
  return { primary, standby: await startCluster({ dataDir: copy, durable: true, keepFolder: false }) };
}
