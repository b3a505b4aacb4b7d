import { Secret } from '@airlock/config';
import { Parcel } from '@airlock/database/sample';
import { type TestDatabase, withTestDatabase } from '@airlock/database-dev/testing';
import { expect, jest } from '@jest/globals';
import { pino } from 'pino';
import type { EntityManager } from 'typeorm';
import { type DataWorld, openDataWorld } from '../data/data-world.fixture.js';
import { createRedis } from '../redis/redis.js';
import { describeWithOwnRedis, TestRedis } from '../testing/redis.fixture.js';
import { useTogether } from '../testing/use-together.fixture.js';
import type { ReadCache } from './read-cache.js';
import { ReadCaches } from './read-caches.js';

jest.setTimeout(60_000);

const USER = 'user_1';
const find = (tx: EntityManager, row: Parcel) => tx.getRepository(Parcel).findOneBy({ id: row.id });
const rename = (tx: EntityManager, row: Parcel) => tx.getRepository(Parcel).update({ id: row.id }, { name: 'changed' });
const renameAll = (tx: EntityManager) => tx.createQueryBuilder().update(Parcel).set({ name: 'changed' }).execute();

/** A process with its own sessions and its own lease. */
interface Replica {
  readonly world: DataWorld;
  readonly caches: ReadCaches;
  readonly cache: ReadCache<Parcel>;
}

/** One process that changes two rows, and one that has cached them. */
class Pair {
  readonly lines: string[] = [];
  runs = 0;
  readonly #closers: (() => Promise<unknown>)[] = [];

  static async open(database: TestDatabase): Promise<Pair> {
    const redis = await TestRedis.start();
    const pair = new Pair();
    const [writer, reader] = [await pair.#openReplica(database, redis), await pair.#openReplica(database, redis)];
    pair.#closers.push(() => redis.stop());
    const add = { ownerId: USER, attributes: {} };
    const [kettle, teapot] = await writer.world.database.asUser(USER, async (tx) => {
      const parcels = tx.getRepository(Parcel);
      return [await parcels.save({ ...add, name: 'kettle' }), await parcels.save({ ...add, name: 'teapot' })] as const;
    });
    Object.assign(pair, { writer, reader, kettle, teapot });
    while (!((await pair.isCached(kettle)) && (await pair.isCached(teapot)))) await pair.read();
    return pair;
  }

  declare readonly writer: Replica;
  declare readonly reader: Replica;
  declare readonly kettle: Parcel;
  declare readonly teapot: Parcel;

  async #openReplica(test: TestDatabase, { address }: TestRedis): Promise<Replica> {
    const logger = pino({ messageKey: 'event' }, { write: (line: string) => void this.lines.push(line) });
    const world = await openDataWorld(test.config);
    const url = new Secret(`redis://127.0.0.1:${address.port}/0`);
    const redis = await createRedis({ ...test.config, redis: { url } }, logger);
    this.#closers.push(
      () => world.close(),
      () => Promise.resolve(redis?.disconnect()),
    );
    const caches = new ReadCaches({
      database: world.database,
      redis,
      environment: 'testing',
      logger,
      tables: ['parcels'],
    });
    return { world, caches, cache: caches.create<Parcel>('parcels', 1) };
  }

  /** A process that knows the tables, and has neither Redis nor a cache: a worker. */
  async openWorker(test: TestDatabase): Promise<DataWorld> {
    const logger = pino({ messageKey: 'event' }, { write: (line: string) => void this.lines.push(line) });
    const world = await openDataWorld(test.config);
    this.#closers.push(() => world.close());
    new ReadCaches({ database: world.database, redis: undefined, environment: 'testing', logger, tables: ['parcels'] });
    return world;
  }

  asUser(work: (tx: EntityManager) => Promise<unknown>): Promise<unknown> {
    return this.writer.world.database.asUser(USER, (tx) => {
      this.runs += 1;
      return work(tx);
    });
  }

  /** Tells the cache of the writer that this row changes. */
  change(row: Parcel, work: () => Promise<unknown>): Promise<unknown> {
    return this.writer.cache.change({ userId: USER, id: row.id }, work);
  }

  /** The names as the other process returns them; undefined for a row that is gone. */
  read(): Promise<(string | undefined)[]> {
    const { cache, world } = this.reader;
    const one = async (row: Parcel) => {
      const load = () => world.database.asUser(USER, (tx) => find(tx, row));
      return (await cache.read({ userId: USER, id: row.id }, async () => (await load()) ?? undefined))?.name;
    };
    return Promise.all([one(this.kettle), one(this.teapot)]);
  }

  async isCached({ id }: Parcel): Promise<boolean> {
    return (await this.reader.cache.read({ userId: USER, id }, () => Promise.resolve(undefined))) !== undefined;
  }

  get unexpected(): string[] {
    return this.lines.filter((line) => line.includes('cache.unexpected-change'));
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
  }
}

describeWithOwnRedis('a transaction that changes cached rows', () => {
  const itTogether = useTogether({ limit: 6 });
  const itCached = (title: string, run: (pair: Pair, test: TestDatabase) => Promise<void>) =>
    itTogether(title, () =>
      withTestDatabase(async (database) => {
        const pair = await Pair.open(database);
        await run(pair, database).finally(() => pair.close());
      }),
    );

  const ways: [string, (tx: EntityManager, pair: Pair) => Promise<unknown>, string | undefined][] = [
    ['by a repository', (tx, { kettle }) => rename(tx, kettle), 'changed'],
    ['by a query builder', renameAll, 'changed'],
    [
      'by a statement that begins with WITH',
      (tx) =>
        tx.query(`WITH changed AS (UPDATE parcels SET name = 'changed' RETURNING id) SELECT count(*) FROM changed`),
      'changed',
    ],
    ['in a savepoint', (tx, { kettle }) => tx.transaction((inner) => rename(inner, kettle)), 'changed'],
    ['by removing it', (tx, { kettle }) => tx.getRepository(Parcel).delete({ id: kettle.id }), undefined],
  ];
  for (const [title, work, name] of ways) {
    itCached(`unexpectedly, ${title}, runs again while nothing is cached, and says so`, async (pair) => {
      await pair.asUser((tx) => work(tx, pair));
      expect([(await pair.read())[0], pair.runs]).toEqual([name, 2]);
      expect(pair.unexpected).toEqual([
        expect.stringMatching(/parcels: a transaction changed [12] cached .*cache\.change/),
      ]);
    });
  }

  itCached('of which its caller has told runs once, and leaves other rows in the cache', async (pair) => {
    const { kettle, teapot } = pair;
    await pair.change(kettle, () => pair.asUser((tx) => rename(tx, kettle)));
    expect([await pair.isCached(teapot), await pair.read(), pair.runs]).toEqual([true, ['changed', 'teapot'], 1]);
    expect(pair.unexpected).toEqual([]);
  });

  itCached('and more of them than its caller has told runs again', async (pair) => {
    await pair.change(pair.kettle, () => pair.asUser(renameAll));
    expect([await pair.read(), pair.runs, pair.unexpected.length]).toEqual([['changed', 'changed'], 2, 1]);
  });

  itCached('of which its caller has told one by one runs once', async (pair) => {
    await pair.change(pair.kettle, () => pair.change(pair.teapot, () => pair.asUser(renameAll)));
    expect([await pair.read(), pair.runs, pair.unexpected]).toEqual([['changed', 'changed'], 1, []]);
  });

  itCached('of any number runs once in changeAll', async (pair) => {
    await pair.writer.caches.changeAll(() => pair.asUser(renameAll));
    expect([await pair.read(), pair.runs, pair.unexpected]).toEqual([['changed', 'changed'], 1, []]);
  });

  itCached(
    'in a process without a cache, such as a worker, leaves none of them in the cache of another',
    async (pair, test) => {
      const worker = await pair.openWorker(test);
      expect(await pair.isCached(pair.kettle)).toBe(true);
      await worker.database.asUser(USER, renameAll);
      expect([await pair.read(), pair.unexpected.length]).toEqual([['changed', 'changed'], 1]);
    },
  );

  itCached('and fails does not run again', async (pair) => {
    const work = pair.asUser(async (tx) => {
      await renameAll(tx);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect([await pair.isCached(pair.kettle), pair.runs, pair.unexpected]).toEqual([true, 1, []]);
  });

  const harmless: [string, (tx: EntityManager) => Promise<unknown>][] = [
    ['only reads', (tx) => tx.getRepository(Parcel).find()],
    ['only adds', (tx) => tx.getRepository(Parcel).save({ ownerId: USER, name: 'new', attributes: {} })],
  ];
  for (const [title, work] of harmless) {
    itCached(`is none that ${title}, whatever the session did before`, async (pair) => {
      await pair.change(pair.teapot, () => pair.asUser((tx) => rename(tx, pair.teapot)));
      await pair.asUser(work);
      expect([await pair.isCached(pair.kettle), pair.runs, pair.unexpected]).toEqual([true, 2, []]);
    });
  }
});
