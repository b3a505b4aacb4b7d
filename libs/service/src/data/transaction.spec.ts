import { Parcel } from '@airlock/database/sample';
import { useTestDatabase, withTestDatabase } from '@airlock/database-dev/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager, Repository } from 'typeorm';
import { RequestContext, runInContext } from '../context/request-context.js';
import { type DataWorld, openDataWorld } from './data-world.fixture.js';
import type { Database } from './database.js';

const COUNT = { name: 'spec:count', text: 'SELECT count(*)::int AS count FROM parcels', values: [] };

describe('asUser', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  let world: DataWorld;
  let database: Database;

  beforeAll(async () => {
    world = await openDataWorld(test);
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
      const { database: owned, close } = await openDataWorld(own);
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
      const [{ pid }] = (await tx.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
      await test.query('SELECT pg_terminate_backend($1)', [pid]);
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
    await expect(late).rejects.toThrow('released');
    expect(await namesOf('user_1')).toEqual(['in time']);
  });

  it('refuses a second session inside of the work, which could wait for the first one for ever', async () => {
    const nested = database.asUser('user_1', () => database.asUser('user_1', () => Promise.resolve()));
    await expect(nested).rejects.toThrow('asUser was called inside of a transaction');
    const query = database.asUser('user_1', () => database.query({ ...COUNT, userId: 'user_1' }));
    await expect(query).rejects.toThrow('query was called inside of a transaction');
  });

  it('shows the request in the name of the session', async () => {
    const context = new RequestContext({ 'x-request-id': 'request-0123456789' });
    const name = await new Promise((resolve, reject) =>
      runInContext(context, () => {
        database
          .asUser('user_1', (tx) => tx.query(`SELECT current_setting('application_name') AS name`))
          .then(resolve, reject);
      }),
    );
    expect(name).toEqual([{ name: 'request-0123456789' }]);
  });

  it('leaves nothing of the user on the session', async () => {
    await database.asUser('user_1', (tx) => add(tx, 'mine'));
    const [row] = await database.query<{ count: number }>({ ...COUNT, userId: '' });
    expect(row).toEqual({ count: 0 });
  });
});
