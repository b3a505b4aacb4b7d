import { setTimeout as sleep } from 'node:timers/promises';
import { Parcel } from '@airlock/database/sample';
import { useTestDatabase, withTestDatabase } from '@airlock/database-dev/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager, Repository } from 'typeorm';
import { currentContext, RequestContext, runInContext } from '../context/request-context.js';
import { type DataWorld, openDataWorld, withPoolSize } from './data-world.fixture.js';
import type { Database } from './database.js';

const COUNT = { name: 'spec:count', text: 'SELECT count(*)::int AS count FROM parcels', values: [] };

describe('asUser', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  let world: DataWorld;
  let database: Database;

  beforeAll(async () => {
    world = await openDataWorld(withPoolSize(test.config, 3));
    database = world.database;
  });
  afterAll(() => world.close());

  const add = (tx: EntityManager, name: string, ownerId = 'user_1') =>
    tx.getRepository(Parcel).save(tx.getRepository(Parcel).create({ ownerId, name, attributes: {} }));
  const namesOf = (userId: string) =>
    database.asUser(userId, async (tx) => {
      const rows = await tx.getRepository(Parcel).find({ order: { name: 'ASC' } });
      return rows.map(({ name }) => name);
    });
  const pause = (tx: EntityManager, seconds: number) => tx.query('SELECT pg_sleep($1)', [seconds]);

  it('gives repositories and query builders the rows of the user, and no others', async () => {
    await database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      await add(tx, 'mine too');
    });
    await database.asUser('user_2', (tx) => add(tx, 'theirs', 'user_2'));
    expect(await namesOf('user_1')).toEqual(['mine', 'mine too']);
    expect(await namesOf('user_2')).toEqual(['theirs']);
    const changed = await database.asUser('user_1', (tx) =>
      tx.createQueryBuilder().update(Parcel).set({ name: 'changed' }).execute(),
    );
    expect(changed.affected).toBe(2);
    expect(await namesOf('user_2')).toEqual(['theirs']);
  });

  it('rejects a row of another user, and undoes the whole work', async () => {
    const work = database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      await add(tx, 'planted', 'user_2');
    });
    await expect(work).rejects.toThrow('row-level security');
    expect(await namesOf('user_1')).toEqual([]);
  });

  it.each<[string, (repository: Repository<Parcel>) => Promise<unknown>]>([
    ['find', (repository) => repository.find()],
    ['save', (repository) => repository.save({ ownerId: 'user_1', name: 'x' })],
    ['a query builder', (repository) => repository.createQueryBuilder('parcel').getMany()],
    ['raw SQL', (repository) => repository.query('SELECT FROM parcels')],
    ['a transaction of its own', (repository) => repository.manager.transaction(() => Promise.resolve())],
  ])('is needed for %s of an injected repository', async (_, use) => {
    await expect((async () => use(world.injected))()).rejects.toThrow('expected one of asUser');
  });

  it('has savepoints', async () => {
    await database.asUser('user_1', async (tx) => {
      await add(tx, 'kept');
      await expect(tx.transaction((inner) => add(inner, ''))).rejects.toThrow('parcels_name_length');
      await tx.transaction((inner) => add(inner, 'inner'));
    });
    expect(await namesOf('user_1')).toEqual(['inner', 'kept']);
  });

  it('does not pretend to commit when an error was caught without a savepoint', async () => {
    const work = database.asUser('user_1', async (tx) => {
      await add(tx, 'lost');
      await tx.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('expected a savepoint around that statement');
    expect(await namesOf('user_1')).toEqual([]);
  });

  it('reports what only the commit finds', () =>
    withTestDatabase(async (own) => {
      await own.query(`CREATE TABLE parts (parcel uuid REFERENCES parcels DEFERRABLE INITIALLY DEFERRED)`);
      await own.query(`GRANT INSERT ON parts TO ${own.config.database.app.user}`);
      const { database: owned, close } = await openDataWorld(own.config);
      const orphan = (tx: EntityManager) => tx.query('INSERT INTO parts VALUES (uuidv7())');
      await expect(owned.asUser('user_1', orphan)).rejects.toMatchObject({ code: '23503' });
      await close();
    }));

  it('runs again after a deadlock, and both changes last', async () => {
    const [a, b] = await database.asUser('user_1', async (tx) => [await add(tx, 'a'), await add(tx, 'b')] as const);
    let runs = 0;
    const touch = (first: Parcel, second: Parcel) =>
      database.asUser('user_1', async (tx) => {
        runs += 1;
        const repository = tx.getRepository(Parcel);
        await repository.increment({ id: first.id }, 'version', 1);
        await pause(tx, 0.3);
        await repository.increment({ id: second.id }, 'version', 1);
      });
    await Promise.all([touch(a, b), touch(b, a)]);
    expect(runs).toBe(3);
    const versions = await database.asUser('user_1', (tx) =>
      tx.getRepository(Parcel).find({ select: { version: true } }),
    );
    expect(versions.map(({ version }) => version)).toEqual([3, 3]);
  });

  it('runs again after a serialization failure', async () => {
    const { id } = await database.asUser('user_1', (tx) => add(tx, '0'));
    const addOne = () =>
      database.asUser(
        'user_1',
        async (tx) => {
          const row = await tx.getRepository(Parcel).findOneByOrFail({ id });
          await tx.getRepository(Parcel).update({ id }, { name: String(Number(row.name) + 1) });
        },
        { isolation: 'SERIALIZABLE' },
      );
    await Promise.all([addOne(), addOne(), addOne()]);
    expect(await namesOf('user_1')).toEqual(['3']);
  });

  it('ends at its time limit, and its session does not return to the pool', async () => {
    const work = database.asUser(
      'user_1',
      async (tx) => {
        await add(tx, 'late');
        for (let count = 0; count < 100; count += 1) await pause(tx, 0.05);
      },
      { timeoutMs: 300 },
    );
    await expect(work).rejects.toMatchObject({ code: '25P04' });
    expect(await namesOf('user_1')).toEqual([]);
  });

  it('survives a session that an administrator ends', async () => {
    const work = database.asUser('user_1', async (tx) => {
      const [row] = await tx.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
      await test.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      await add(tx, 'lost');
    });
    await expect(work).rejects.toThrow();
    expect(await namesOf('user_1')).toEqual([]);
    expect(database.figures().total).toBeLessThanOrEqual(3);
  });

  it('refuses queries that the work did not wait for, instead of running them without a user', async () => {
    let late: Promise<unknown> = Promise.resolve();
    await database.asUser('user_1', async (tx) => {
      await add(tx, 'in time');
      late = (async () => {
        await new Promise((resolve) => setImmediate(resolve));
        for (;;) await tx.query('SELECT 1');
      })();
      late.catch(() => undefined);
    });
    await expect(late).rejects.toThrow(/released|await/);
    expect(await namesOf('user_1')).toEqual(['in time']);
  });

  it('refuses a second session inside of the work, which could wait for the first one', async () => {
    const nested = database.asUser('user_1', () => database.asUser('user_1', () => Promise.resolve()));
    await expect(nested).rejects.toThrow('asUser was called inside of a transaction');
    const query = database.asUser('user_1', () => database.query({ ...COUNT, userId: 'user_1' }));
    await expect(query).rejects.toThrow('query was called inside of a transaction');
  });

  const inRequest = <T>(id: string, run: () => Promise<T>): Promise<T> => {
    const context = new RequestContext({ 'x-request-id': id });
    return new Promise((resolve, reject) => runInContext(context, () => void run().then(resolve, reject)));
  };

  it('shows the request in the name of the session', async () => {
    const name: unknown = await inRequest('request-0123456789', () =>
      database.asUser('user_1', (tx) => tx.query(`SELECT current_setting('application_name') AS name`)),
    );
    expect(name).toEqual([{ name: 'request-0123456789' }]);
  });

  it('runs the work in the context of its own request, also where it waits for a session of another', async () => {
    const seen = await Promise.all(
      Array.from({ length: 20 }, (_, at) => `request-${String(at).padStart(10, '0')}`).map((id) =>
        inRequest(id, () =>
          database.asUser('user_1', async (tx) => {
            const before = currentContext()?.requestId;
            await pause(tx, 0.01);
            return [id, before, currentContext()?.requestId];
          }),
        ),
      ),
    );
    for (const [id, ...others] of seen) expect(others).toEqual([id, id]);
  });

  it.each([
    'COMMIT',
    ' rollback',
    'END',
    'ROLLBACK AND CHAIN',
    'BEGIN',
    'START TRANSACTION',
    `PREPARE TRANSACTION 'x'`,
  ])('refuses %j in the work, and changes nothing', async (text) => {
    const work = database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      await tx.query(text);
    });
    await expect(work).rejects.toThrow('may not begin or end one');
    expect(await namesOf('user_1')).toEqual([]);
  });

  it.each<[string, (tx: EntityManager) => Promise<unknown>]>([
    ['rollback', async (tx) => tx.queryRunner?.rollbackTransaction()],
    ['commit', async (tx) => tx.queryRunner?.commitTransaction()],
  ])('refuses a %s by the runner in the work', async (_, end) => {
    const work = database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      await end(tx);
    });
    await expect(work).rejects.toThrow('may not begin or end one');
    expect(await namesOf('user_1')).toEqual([]);
  });

  it('reports a transaction that ended within a text of several statements', async () => {
    const work = database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      await tx.query(`SELECT 1; ROLLBACK; BEGIN; SELECT set_config('app.user_id', 'user_1', true)`);
    });
    await expect(work).rejects.toThrow('ended its transaction and began another');
    expect(await namesOf('user_1')).toEqual([]);
  });

  it('closes a session that a statement left in a transaction', async () => {
    for (let count = 0; count < 6; count += 1)
      await database.query({ name: 'spec:begin', text: 'BEGIN', values: [], userId: 'user_2' });
    await database.asUser('user_1', (tx) => add(tx, 'mine'));
    for (let count = 0; count < 6; count += 1) expect(await namesOf('user_1')).toEqual(['mine']);
    const [row] = await database.query<{ count: number }>({ ...COUNT, userId: '' });
    expect(row).toEqual({ count: 0 });
  });

  it('ends settings of the session with the transaction', async () => {
    await database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      await tx.query(`SET app.user_id = 'user_1'`);
      await tx.query('SET default_transaction_read_only = on');
    });
    for (let count = 0; count < 6; count += 1) await database.asUser('user_1', (tx) => add(tx, 'more'));
    const text = `SELECT current_setting('app.user_id', true) AS "user", current_setting('statement_timeout') AS "limit"`;
    const rows = await database.asUser('', (tx) => tx.query<{ user: string; limit: string }[]>(text));
    expect(rows).toEqual([{ user: '', limit: `${test.config.database.statementTimeoutMs / 1_000}s` }]);
  });

  it('fails if the work ends before its queries', async () => {
    const work = database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      void pause(tx, 0.2).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    });
    await expect(work).rejects.toThrow('expected an await for each');
    expect(await namesOf('user_1')).toEqual([]);
  });

  it('lets code that the work leaves behind begin a transaction of its own', async () => {
    let later: Promise<string[]> = Promise.resolve([]);
    await database.asUser('user_1', async (tx) => {
      await add(tx, 'mine');
      later = new Promise((resolve, reject) => setTimeout(() => void namesOf('user_1').then(resolve, reject), 200));
    });
    expect(await later).toEqual(['mine']);
  });

  it.each([0, -1, Number.NaN, Infinity, 2 ** 31])('refuses the limit %s', async (timeoutMs) => {
    const work = database.asUser('user_1', (tx) => add(tx, 'mine'), { timeoutMs });
    await expect(work).rejects.toThrow('expected 1 to 2147483647');
  });

  it.each([
    ['its next statement', (tx: EntityManager) => pause(tx, 0)],
    ['its commit', () => Promise.resolve()],
  ])('names the time limit that passed between two statements, at %s', async (_, next) => {
    const work = database.asUser(
      'user_1',
      async (tx) => {
        await sleep(600);
        await next(tx);
      },
      { timeoutMs: 200 },
    );
    await expect(work).rejects.toMatchObject({ code: '25P04' });
  });

  it('counts the wait for a session', async () => {
    const busy = Array.from({ length: 3 }, () => database.asUser('user_1', (tx) => pause(tx, 1)));
    const work = database.asUser('user_1', (tx) => pause(tx, 0.5), { timeoutMs: 1_100 });
    await expect(work).rejects.toMatchObject({ code: '25P04' });
    await Promise.all(busy);
  });

  it('leaves nothing of the user on the session', async () => {
    await database.asUser('user_1', (tx) => add(tx, 'mine'));
    const [row] = await database.query<{ count: number }>({ ...COUNT, userId: '' });
    expect(row).toEqual({ count: 0 });
  });
});
