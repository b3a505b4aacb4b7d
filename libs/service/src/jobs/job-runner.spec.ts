import { Parcel } from '@airlock/database/sample';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { RequestContext, runInContext } from '../context/request-context.js';
import { Problem } from '../problems/problem.js';
import { type DataShape, type Job, job } from './job.js';
import { JobsWorld, until } from './jobs-world.fixture.js';
import { PermanentError } from './permanent-error.js';

const USER = 'user_1';
const shape = z.strictObject({ name: z.string().max(50) });
const noWork = () => Promise.resolve();

describe('jobs', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  const worlds: JobsWorld[] = [];
  const open = async (declared: readonly Job[], options = {}) => {
    const world = await JobsWorld.open(test, declared, options);
    worlds.push(world);
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });
  const send = <Shape extends DataShape>(world: JobsWorld, declared: Job<Shape>, data: z.input<Shape>, options = {}) =>
    world.database.asUser(USER, (tx) => world.jobs.send(tx, declared, data, options));
  const addParcel = job({
    name: 'parcels.add',
    data: shape,
    run: async ({ data, database, finish }) =>
      database.asUser(USER, async (tx) => {
        await tx.getRepository(Parcel).save({ ownerId: USER, name: data.name, attributes: {} });
        await finish(tx);
      }),
  });
  const names = async () => {
    const rows = await test.query<{ name: string }>('SELECT name FROM parcels WHERE owner_id = $1 ORDER BY id', [USER]);
    return rows.map(({ name }) => name);
  };

  describe('are sent', () => {
    it('with the rows of the transaction, and run once', async () => {
      const world = await open([addParcel]);
      const id = await send(world, addParcel, { name: 'kettle' });
      expect(id).toMatch(/^[0-9a-f-]{36}$/);
      expect(await names()).toEqual([]);
      await world.runner.runReady();
      await world.runner.runReady();
      expect([await names(), await world.states('parcels.add')]).toEqual([['kettle'], ['completed']]);
    });

    it('not at all if the transaction is rolled back, also in a savepoint', async () => {
      const world = await open([addParcel]);
      const failed = world.database.asUser(USER, async (tx) => {
        await world.jobs.send(tx, addParcel, { name: 'lost' });
        throw new Error('later');
      });
      await expect(failed).rejects.toThrow('later');
      await world.database.asUser(USER, async (tx) => {
        const inner = tx.transaction(async (savepoint) => {
          await world.jobs.send(savepoint, addParcel, { name: 'lost too' });
          throw new Error('inner');
        });
        await inner.catch(() => undefined);
        await world.jobs.send(tx, addParcel, { name: 'kept' });
      });
      await world.runner.runReady();
      expect(await names()).toEqual(['kept']);
    });

    it('as the system, whose rows the sender may not see', async () => {
      const world = await open([addParcel]);
      await world.database.asSystem('spec: sends', (tx) => world.jobs.send(tx, addParcel, { name: 'system' }));
      await world.runner.runReady();
      expect(await names()).toEqual(['system']);
    });

    it('once for a key, by ten senders at once and after the job has ended', async () => {
      const world = await open([addParcel]);
      const options = { key: 'order 1' };
      const ids = await Promise.all(
        Array.from({ length: 10 }, () => send(world, addParcel, { name: 'once' }, options)),
      );
      expect(ids.filter((id) => id !== undefined)).toHaveLength(1);
      await world.runner.runReady();
      expect(await send(world, addParcel, { name: 'again' }, options)).toBeUndefined();
      await world.runner.runReady();
      expect(await names()).toEqual(['once']);
      expect(await send(world, addParcel, { name: 'other' }, { key: 'order 2' })).toBeDefined();
    });

    it('not before their time', async () => {
      const world = await open([addParcel]);
      await send(world, addParcel, { name: 'later' }, { startAfter: new Date(Date.now() + 3_600_000) });
      await world.runner.runReady();
      expect([await names(), await world.states('parcels.add')]).toEqual([[], ['created']]);
    });

    it.each<[string, unknown, string]>([
      ['a missing field', {}, 'does not fit its shape in name (invalid_type)'],
      ['an unknown field', { name: 'x', admin: true }, 'does not fit its shape in data (unrecognized_keys)'],
      ['text that cannot be stored', { name: 'a\0b' }, 'contains characters that cannot be stored'],
      ['half of a surrogate pair', { name: 'a\ud800' }, 'contains characters that cannot be stored'],
      ['no object', 'name', 'does not fit its shape'],
    ])('not with %s', async (_, data, message) => {
      const world = await open([addParcel]);
      await expect(send(world, addParcel, data as never)).rejects.toThrow(message);
      expect(await world.states('parcels.add')).toEqual([]);
    });

    it.each<[string, unknown, string]>([
      ['too much data', { name: 'x'.repeat(70_000) }, 'expected at most 65536'],
      ['a Date, which a queue would change', { at: new Date() }, 'its data is not JSON'],
      ['a number that no JSON has', { at: Number.NaN }, 'is not a number that can be stored'],
    ])('not with %s, whatever the shape allows', async (_, data, message) => {
      const loose = job({ name: 'loose', data: z.looseObject({}), run: noWork });
      const world = await open([loose]);
      await expect(send(world, loose, data as never)).rejects.toThrow(message);
    });

    it.each([
      ['an empty key', '  '],
      ['a long key', 'k'.repeat(201)],
      ['a key that cannot be stored', 'a\0'],
    ])('not with %s', async (_, key) => {
      const world = await open([addParcel]);
      await expect(send(world, addParcel, { name: 'x' }, { key })).rejects.toThrow('its key');
    });

    it('not outside of a transaction, and not if no process would run them', async () => {
      const world = await open([addParcel]);
      const other = job({ name: 'other', data: shape, run: noWork });
      await expect(send(world, other, { name: 'x' })).rejects.toThrow(
        'no process would run it; expected it in the list',
      );
      const { manager } = world.data.injected;
      await expect(world.jobs.send(manager, addParcel, { name: 'x' })).rejects.toThrow('outside of a transaction');
    });
  });

  describe('run', () => {
    it('in the order of their priorities and then of their age, whatever their names', async () => {
      const order: string[] = [];
      const make = (name: string, priority: number) =>
        job({ name, data: shape, priority, run: ({ data }) => Promise.resolve(void order.push(data.name)) });
      const [low, high] = [make('low', 0), make('high', 5)];
      const world = await open([low, high], { concurrency: 1 });
      await send(world, low, { name: 'low 1' });
      await send(world, high, { name: 'high 1' });
      await send(world, low, { name: 'urgent' }, { priority: 9 });
      await send(world, high, { name: 'high 2' });
      await send(world, low, { name: 'low 2' });
      await world.runner.runReady();
      expect(order).toEqual(['urgent', 'high 1', 'high 2', 'low 1', 'low 2']);
    });

    it('with the ids and the trace of the request that sent them', async () => {
      const seen: unknown[] = [];
      const look = job({
        name: 'look',
        data: shape,
        run: ({ logger }) => Promise.resolve(void (seen.push(logger), logger.info('looked'))),
      });
      const world = await open([look]);
      const headers = {
        'x-request-id': 'request-0123456789',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      };
      const context = new RequestContext(headers);
      await runInContext(context, () => send(world, look, { name: 'x' }));
      await world.runner.runReady();
      const [run] = world.runs;
      expect(run).toMatchObject({ name: 'look', outcome: 'done', attempt: 1, requestId: 'request-0123456789' });
      expect(run?.trace).toMatchObject({ traceId: 'a'.repeat(32), parentId: context.trace.spanId, isSampled: true });
      expect(run?.trace.spanId).not.toBe(context.trace.spanId);
    });

    it('as the system, which is journalled with the request', async () => {
      const count = job({
        name: 'count',
        data: shape,
        run: async ({ database }) =>
          void (await database.asSystem('spec: counts', (tx) => tx.getRepository(Parcel).count())),
      });
      const world = await open([count]);
      const context = new RequestContext({ 'x-request-id': 'request-0123456789' });
      await runInContext(context, () => send(world, count, { name: 'x' }));
      await world.runner.runReady();
      expect(world.runs.map(({ outcome }) => outcome)).toEqual(['done']);
      expect(await test.query('SELECT reason, user_id, request_id FROM ops.system_uses')).toEqual([
        { reason: 'spec: counts', user_id: null, request_id: 'request-0123456789' },
      ]);
    });

    it('again after a failure, and then are dead letters without a message of the error', async () => {
      const fail = job({
        name: 'fail',
        data: shape,
        retries: 1,
        retryDelaySeconds: 0,
        run: () => Promise.reject(Object.assign(new RangeError('the secret of user_1'), { code: 'E_SPEC' })),
      });
      const world = await open([fail]);
      await send(world, fail, { name: 'x' }, { key: 'k' });
      await world.runner.runReady();
      await test.query(`UPDATE jobs.job SET start_after = now() WHERE name = 'fail'`);
      await world.runner.runReady();
      expect(world.runs.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
        ['failed', 1],
        ['dead', 2],
      ]);
      const [dead] = await world.rows<{ source_name: string; source_output: unknown; data: object }>(
        `SELECT source_name, source_output, data FROM jobs.job WHERE name = 'dead-letters'`,
      );
      expect(dead).toMatchObject({ source_name: 'fail', data: { data: { name: 'x' } } });
      expect(dead?.source_output).toMatchObject({ type: 'RangeError', code: 'E_SPEC' });
      expect(JSON.stringify(dead)).not.toContain('secret');
      expect(world.lines.map(({ event }) => event)).toEqual(['job.failed', 'job.dead']);
      expect(world.errors).toHaveLength(2);
      expect(await send(world, fail, { name: 'x' }, { key: 'k' })).toBeUndefined();
    });

    it.each([
      [new Problem('not-found'), 'dead'],
      [new Problem('validation-failed'), 'dead'],
      [new Problem('precondition-failed'), 'dead'],
      [new PermanentError('no such country'), 'dead'],
      [Object.assign(new Error('of a library'), { isPermanent: true }), 'dead'],
      [new Problem('incomplete-request'), 'failed'],
      [new Problem('conflict'), 'failed'],
      [new Problem('rate-limited'), 'failed'],
      [new Problem('internal-error'), 'failed'],
      [new Problem('dependency-unavailable'), 'failed'],
      [new Error('wrapped', { cause: new Problem('not-found') }), 'failed'],
      [null, 'failed'],
      ['a text', 'failed'],
    ])('after %s, and are then %s', async (error, outcome) => {
      const fail = job({
        name: 'fail',
        data: shape,
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a library may throw anything
        run: () => Promise.reject(error),
      });
      const world = await open([fail]);
      await send(world, fail, { name: 'x' });
      await world.runner.runReady();
      expect(world.runs.map((run) => run.outcome)).toEqual([outcome]);
      expect(await world.states('dead-letters')).toEqual(outcome === 'dead' ? ['created'] : []);
    });

    it('never with data of another shape, which are dead letters at once', async () => {
      let runs = 0;
      const newer = job({ name: 'shaped', data: z.strictObject({ name: z.number() }), run: noWork });
      const older = job({ name: 'shaped', data: shape, run: () => Promise.resolve(void (runs += 1)) });
      const sender = await open([newer]);
      await send(sender, newer, { name: 7 });
      const world = await open([older]);
      await world.runner.runReady();
      await test.query(`UPDATE jobs.job SET data = '"text"', state = 'created' WHERE name = 'shaped'`);
      await world.runner.runReady();
      expect([runs, world.runs.map(({ outcome }) => outcome)]).toEqual([0, ['dead', 'dead']]);
    });

    it('only if the release knows them: others stay in their queue', async () => {
      const later = job({ name: 'later-release', data: shape, run: noWork });
      const [newer, older] = [await open([later]), await open([addParcel])];
      await send(newer, later, { name: 'x' });
      await older.runner.runReady();
      await older.queue.watch();
      expect(await older.states('later-release')).toEqual(['created']);
      await newer.runner.runReady();
      expect(await older.states('later-release')).toEqual(['completed']);
    });

    it('until their time limit', async () => {
      const slow = job({ name: 'slow', data: shape, timeLimitSeconds: 0.05, run: () => new Promise(() => undefined) });
      const world = await open([slow]);
      await send(world, slow, { name: 'x' });
      await world.runner.runReady();
      expect(world.runs.map(({ outcome }) => outcome)).toEqual(['failed']);
      expect(String(world.errors[0])).toContain('took longer than 0.05 seconds');
    });
  });

  describe('end', () => {
    it('with their rows or not at all', async () => {
      let attempts = 0;
      const fragile = job({
        name: 'fragile',
        data: shape,
        retryDelaySeconds: 0,
        run: ({ database, finish, data }) =>
          database.asUser(USER, async (tx) => {
            await tx.getRepository(Parcel).save({ ownerId: USER, name: data.name, attributes: {} });
            await finish(tx);
            if ((attempts += 1) === 1) throw new Error('after the end');
          }),
      });
      const world = await open([fragile]);
      await send(world, fragile, { name: 'exactly once' });
      await world.runner.runReady();
      expect([await names(), await world.states('fragile')]).toEqual([[], ['retry']]);
      await test.query(`UPDATE jobs.job SET start_after = now()`);
      await world.runner.runReady();
      expect([await names(), await world.states('fragile')]).toEqual([['exactly once'], ['completed']]);
    });

    it('not by a process that has lost them', async () => {
      const taken = job({
        name: 'taken',
        data: shape,
        run: async ({ database, finish, data, id }) => {
          await test.query('UPDATE jobs.job SET retry_count = retry_count + 1 WHERE id = $1', [id]);
          await database.asUser(USER, async (tx) => {
            await tx.getRepository(Parcel).save({ ownerId: USER, name: data.name, attributes: {} });
            await finish(tx);
          });
        },
      });
      const world = await open([taken]);
      await send(world, taken, { name: 'by another' });
      await world.runner.runReady();
      expect([await names(), world.runs.map(({ outcome }) => outcome)]).toEqual([[], ['taken']]);
      expect(await world.states('taken')).toEqual(['active']);
    });
  });

  describe('in steps', () => {
    const STEPS = 5;
    const makeCounter = (seen: number[], onStep: (at: number) => unknown = noWork) =>
      job({
        name: 'counter',
        data: shape,
        retryDelaySeconds: 0,
        cursor: z.int(),
        step: async ({ cursor = 0 }) => {
          await onStep(cursor);
          seen.push(cursor);
          return cursor + 1 < STEPS ? cursor + 1 : undefined;
        },
      });

    it('go on at the stored cursor, in another process, after a shutdown and after a failure', async () => {
      const seen: number[] = [];
      const counter = makeCounter(seen, (at) => at === 1 && first.runner.drain());
      const first: JobsWorld = await open([counter]);
      await send(first, counter, { name: 'x' });
      await first.runner.runReady();
      expect([seen, first.runs.map(({ outcome }) => outcome)]).toEqual([[0, 1], ['released']]);
      let failures = 0;
      const second = await open([
        makeCounter(seen, (at) => at === 3 && (failures += 1) === 1 && Promise.reject(new Error('x'))),
      ]);
      await second.runner.runReady();
      await test.query(`UPDATE jobs.job SET start_after = now()`);
      await second.runner.runReady();
      expect([seen, second.runs.map(({ outcome }) => outcome)]).toEqual([
        [0, 1, 2, 3, 4],
        ['failed', 'done'],
      ]);
    });

    it('store a cursor of their shape only', async () => {
      const wrong = job({ name: 'wrong', data: shape, cursor: z.int(), step: () => Promise.resolve(0.5) });
      const world = await open([wrong]);
      await send(world, wrong, { name: 'x' });
      await world.runner.runReady();
      expect(world.runs.map(({ outcome }) => outcome)).toEqual(['dead']);
    });
  });

  it('are given back at a shutdown that does not wait for them, and run in another process', async () => {
    let begun = 0;
    const patient = job({
      name: 'patient',
      data: shape,
      run: ({ signal }) =>
        (begun += 1) > 1 ? noWork() : new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    });
    const [first, second] = [await open([patient]), await open([patient])];
    await send(first, patient, { name: 'x' });
    first.runner.start();
    await until(() => begun === 1);
    await first.runner.stop(10);
    expect([first.runs.map(({ outcome }) => outcome), await first.states('patient')]).toEqual([
      ['released'],
      ['retry'],
    ]);
    second.runner.start();
    await until(() => second.runs.length === 1);
    expect(second.runs.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([['done', 2]]);
  });

  it('are run by a process that writes when it was last alive', async () => {
    await test.query('UPDATE ops.heartbeat SET at = NULL');
    const world = await open([]);
    const read = async () => (await test.query<{ at: Date | null }>('SELECT at FROM ops.heartbeat'))[0]?.at;
    expect(await read()).toBeNull();
    const before = Date.now();
    world.runner.start();
    await until(async () => (await read()) !== null);
    expect((await read())?.getTime()).toBeGreaterThanOrEqual(before);
  });

  it('are aborted when another process has taken them', async () => {
    const endless = job({ name: 'endless', data: shape, run: () => new Promise(() => undefined) });
    const world = await open([endless]);
    await send(world, endless, { name: 'x' });
    world.runner.start();
    await until(async () => (await world.states('endless'))[0] === 'active');
    await test.query(`UPDATE jobs.job SET retry_count = 1 WHERE name = 'endless'`);
    await until(() => world.runs.length === 1);
    expect(world.runs.map(({ outcome }) => outcome)).toEqual(['taken']);
  });
});

describe('job', () => {
  it.each(['', 'Orders', 'a b', "a'; DROP", 'a'.repeat(101), 'dead_letters'])('refuses the name %j', (name) => {
    expect(() => job({ name, data: shape, run: noWork })).toThrow('is not a name');
  });

  it.each([
    ['* * * *', 'UTC'],
    ['', 'UTC'],
    ['0 3 * * *', 'Europe/Atlantis'],
    ['61 3 * * *', 'UTC'],
  ])('refuses the schedule %j in %s', (cron, timeZone) => {
    const schedule = { cron, timeZone, data: { name: 'x' } };
    expect(() => job({ name: 'scheduled', data: shape, schedule, run: noWork })).toThrow('cannot be scheduled');
  });
});
