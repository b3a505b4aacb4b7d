import { describe, expect, it } from '@jest/globals';
import type { Environment } from '@airlock/config';
import { migrate } from '../migrate/migrate.js';
import { loadStatus } from '../migrate/database-status.js';
import { type ScratchDatabase, useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { type BackfillDefinition, defineBackfill } from '../model/backfill.js';
import type { BackfillEvent } from './backfill-events.js';
import {
  addNickname,
  addPeople,
  before,
  countTouches,
  createPeople,
  fillNickname,
  protect,
  SHORT_LIMITS,
} from './people.fixture.js';
import { type BackfillOptions, loadBackfillPlan, runBackfill } from './run-backfill.js';

const cluster = useScratchCluster();

async function create(rows: number, environment: Environment = 'staging'): Promise<ScratchDatabase> {
  const database = await cluster.create(environment);
  await migrate({ config: database.config, migrations: before });
  if (rows > 0) await addPeople(database.superuser, rows);
  return database;
}

function run({ config }: ScratchDatabase, options: Partial<BackfillOptions> = {}) {
  const target = { config, migrations: before, backfills: [fillNickname], name: fillNickname.name };
  return runBackfill({ ...target, limits: SHORT_LIMITS, ...options });
}

const { name, follows, table, set, where } = fillNickname;
const changed = (change: Partial<BackfillDefinition>) =>
  defineBackfill({ name, follows, table, set, where, ...change });

describe('runBackfill', () => {
  it('changes every row once, in batches, and is complete after a pass without a change', async () => {
    const database = await create(1_000);
    const events: BackfillEvent[] = [];
    const report = await run(database, { onEvent: (event) => events.push(event), actor: 'deploy-7' });
    expect(report).toMatchObject({ name: 'fill-nickname', changed: 1_000, completedAt: expect.any(Date) });
    expect(await countTouches(database.superuser)).toEqual({ 1: 1_000 });
    const progress = events.filter((event) => event.type === 'progress');
    expect(progress.length).toBeGreaterThan(1_000 / SHORT_LIMITS.largestBatchRows);
    expect(progress.at(-1)).toMatchObject({ pass: 2, rows: 1_000, changed: 1_000, expectedRows: 1_000 });
    expect(Math.max(...progress.map(({ batchRows }) => batchRows))).toBeLessThanOrEqual(SHORT_LIMITS.largestBatchRows);
    const { rows } = await database.superuser.query('SELECT pass, last_key, commit, actor FROM ops.backfills');
    expect(rows).toEqual([{ pass: 2, last_key: null, commit: 'c0ffee1', actor: 'deploy-7' }]);
  });

  it('does nothing when it is complete, and walks again only when told to', async () => {
    const database = await create(20);
    const first = await run(database);
    const events: BackfillEvent[] = [];
    expect(await run(database, { onEvent: (event) => events.push(event) })).toEqual(first);
    expect(events).toEqual([]);
    await database.superuser.query('UPDATE public.people SET nickname = NULL WHERE id = 7');
    expect(await run(database, { isRestart: true })).toMatchObject({ changed: 1 });
  });

  it('closes what caches hold of the rows when it is complete', async () => {
    const database = await create(20);
    await database.superuser.query(`UPDATE ops.read_cache SET is_open = true`);
    const generation = async () =>
      (
        await database.superuser.query<{ generation: string; is_open: boolean }>(
          'SELECT generation, is_open FROM ops.read_cache',
        )
      ).rows[0];
    const open = await generation();
    await run(database);
    const closed = await generation();
    expect(closed?.is_open).toBe(false);
    expect(closed?.generation).not.toBe(open?.generation);
  });

  it('finds rows that were added behind it while it walked', async () => {
    const database = await create(200);
    let isAdded = false;
    await run(database, {
      onEvent: (event) => {
        if (event.type !== 'progress' || isAdded) return;
        isAdded = true;
        void database.superuser.query(`INSERT INTO public.people (owner_id, id, name) VALUES ('a', 1, 'Ada')`);
      },
    });
    expect(await countTouches(database.superuser)).toEqual({ 1: 201 });
  });

  it('stops, with its progress, while rows are still written without the value', async () => {
    const database = await create(60);
    const undo = () => database.superuser.query(`UPDATE public.people SET nickname = NULL WHERE id = 1`);
    const attempt = run(database, {
      limits: { ...SHORT_LIMITS, largestBatchRows: 10 },
      onEvent: (event) => void (event.type === 'progress' && undo()),
    });
    await expect(attempt).rejects.toThrow('rows that need it are still being written, 1 during the last pass');
    expect((await run(database)).completedAt).not.toBeNull();
  });

  it('refuses a definition that changed after it had begun, and takes it with a restart', async () => {
    const database = await create(30);
    await run(database);
    const upper = changed({ set: { nickname: 'upper(name)' } });
    await expect(run(database, { backfills: [upper] })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /definition changed after it had begun[^]*airlock new backfill NAME[^]*--restart$/,
      ),
    });
    expect(await run(database, { backfills: [upper], isRestart: true })).toMatchObject({ changed: 0 });
    // A later release that requires it runs the same statements.
    expect(changed({ isRequired: true }).sha256).toBe(fillNickname.sha256);
  });

  it('rolls back a batch whose rows still need the change, and keeps nothing of it', async () => {
    const database = await create(30);
    const broken = changed({ set: { touched: 'touched + 1' } });
    await expect(run(database, { backfills: [broken] })).rejects.toThrow(
      'fill-nickname: its change leaves 10 of 10 rows as they were for its condition (nickname IS NULL)',
    );
    expect(await countTouches(database.superuser)).toEqual({ 0: 30 });
  });

  it.each<[string, Partial<BackfillDefinition>, string]>([
    ['a table that does not exist', { table: 'public.persons' }, 'public.persons is not a table of this database'],
    ['a view', { table: 'pg_catalog.pg_tables' }, 'pg_catalog.pg_tables is not a table'],
    ['a column that does not exist', { set: { nickname: 'surname' } }, 'column "surname" does not exist'],
    [
      'an unqualified table',
      { set: { nickname: '(SELECT name FROM people LIMIT 1)' } },
      'relation "people" does not exist',
    ],
    ['two statements', { where: 'true); DELETE FROM public.people WHERE (true' }, 'syntax error'],
    ['columns without a unique index', { key: ['id'] }, 'has no unique index over (id) with NOT NULL columns'],
    ['an unknown expand', { follows: '20260102000001-add-surname' }, 'expected the name of an expand'],
  ])('refuses %s and records nothing', async (_, change, message) => {
    const database = await create(5);
    const attempt = run(database, { backfills: [changed(change)] });
    await expect(attempt).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining(message) });
    expect((await database.superuser.query('SELECT FROM ops.backfills')).rowCount).toBe(0);
    expect(await countTouches(database.superuser)).toEqual({ 0: 5 });
  });

  it('walks a table without a primary key by a unique index, if it is told which', async () => {
    const database = await create(100, 'testing');
    await database.superuser.query('ALTER TABLE public.people DROP CONSTRAINT people_pkey');
    await expect(run(database)).rejects.toThrow('public.people has no primary key; expected one, or key:');
    await database.superuser.query('CREATE UNIQUE INDEX people_id ON public.people (id)');
    await run(database, { backfills: [changed({ key: ['id'] })] });
    expect(await countTouches(database.superuser)).toEqual({ 1: 100 });
  });

  it('refuses an unknown name, an expand that is not applied, another environment and older provisioning', async () => {
    const database = await cluster.create('staging');
    await migrate({ config: database.config, migrations: [createPeople] });
    await expect(run(database, { name: 'fill-surname' })).rejects.toThrow(
      'fill-surname: not a backfill of this code; expected one of\n  fill-nickname',
    );
    await expect(run(database)).rejects.toThrow(`follows ${addNickname.name}, which is not applied`);
    await expect(run(database, { expected: 'production' })).rejects.toMatchObject({
      name: 'IdentityError',
      exitCode: 3,
    });
    await migrate({ config: database.config, migrations: before });
    await database.superuser.query('ALTER FUNCTION ops.replica_lag() RENAME TO replica_lag_before');
    await expect(run(database)).rejects.toThrow('airlock db provision');
    const target = { config: database.config, migrations: before, backfills: [fillNickname], name: fillNickname.name };
    await expect(loadBackfillPlan(target)).rejects.toThrow('airlock db provision');
  });

  describe('with row-level security', () => {
    it('sees the rows of all users as the system, and journals that', async () => {
      const database = await create(90);
      await database.superuser.query(protect(true));
      const events: BackfillEvent[] = [];
      await run(database, { onEvent: (event) => events.push(event), actor: 'ada' });
      expect(await countTouches(database.superuser)).toEqual({ 1: 90 });
      expect(events[0]).toEqual({
        type: 'started',
        name: 'fill-nickname',
        table: 'public.people',
        role: 'airlock_system',
      });
      const { rows } = await database.superuser.query('SELECT service, reason FROM ops.system_uses');
      expect(rows).toEqual([{ service: 'airlock db backfill', reason: 'backfill fill-nickname by ada' }]);
    });

    it.each([
      ['no policy for all rows', ''],
      ['a policy for some', `CREATE POLICY part ON public.people TO airlock_system USING (id > 3)`],
      ['one for reading alone', `CREATE POLICY part ON public.people FOR SELECT TO airlock_system USING (true)`],
      [
        'a restriction of it',
        `CREATE POLICY all_rows ON public.people TO airlock_system USING (true);
         CREATE POLICY part ON public.people AS RESTRICTIVE TO airlock_system USING (id > 3)`,
      ],
    ])('refuses a table with %s, with the policy to add', async (_, policy) => {
      const database = await create(10);
      await database.superuser.query(protect(false) + policy);
      await expect(run(database)).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining('CREATE POLICY people_system ON public.people TO airlock_system USING (true)'),
      });
      expect(await countTouches(database.superuser)).toEqual({ 0: 10 });
    });

    it('refuses another table that an expression reads and whose rows are hidden', async () => {
      const database = await create(10);
      await database.superuser.query(
        `CREATE TABLE public.names AS SELECT id, name FROM public.people; ALTER TABLE public.names ENABLE ROW LEVEL SECURITY;
         GRANT SELECT ON public.names TO PUBLIC`,
      );
      const joined = changed({
        set: { nickname: `coalesce((SELECT n.name FROM public.names n WHERE n.id = people.id), 'none')` },
      });
      await expect(run(database, { backfills: [joined] })).rejects.toThrow(
        'CREATE POLICY names_system ON public.names',
      );
    });
  });
});

describe('loadBackfillPlan', () => {
  it('shows the statement and tries the first batch, without a change', async () => {
    const database = await create(500);
    const { config } = database;
    const target = { config, migrations: before, backfills: [fillNickname], name: fillNickname.name };
    const plan = await loadBackfillPlan(target);
    expect(plan).toMatchObject({
      key: ['owner_id', 'id'],
      role: 'the owner',
      expectedRows: 500,
      firstBatch: { rows: 100, changed: 100 },
    });
    expect(plan?.sql).toContain('UPDATE public.people SET "nickname" = (');
    expect(await countTouches(database.superuser)).toEqual({ 0: 500 });
    expect(await loadStatus({ ...target })).toMatchObject({ backfills: [{ name: 'fill-nickname', state: 'pending' }] });
    await run(database);
    expect(await loadBackfillPlan(target)).toBeUndefined();
  });
});
