import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@airlock/config';
import { checkSchema, openRunner } from '@airlock/database';
import { type TestDatabase, withTestDatabase } from '@airlock/database-dev/testing';
import { describe, expect, jest } from '@jest/globals';
import { Redis as IoRedis } from 'ioredis';
import { pino } from 'pino';
import { Database } from '../data/database.js';
import type { Redis } from 'ioredis';
import { createRedis } from '../redis/redis.js';
import { describeWithOwnRedis, TestRedis } from '../testing/redis.fixture.js';
import { TcpProxy } from '../testing/tcp-proxy.fixture.js';
import { useTogether } from '../testing/use-together.fixture.js';
import { LEASE_MS } from './cache-generation.js';
import { CACHE_TTL_MS, type ReadCache } from './read-cache.js';
import { ReadCaches } from './read-caches.js';

jest.setTimeout(60_000);

interface Row {
  readonly version: number;
  readonly name: string;
}

/** 20 ms apart: in total several times as long as a closed cache takes to open. */
const MAX_FILLS = 500;
/** A long write. */
const WRITE_MS = 800;
const key = { userId: 'user_1', id: '019a0000-0000-7000-8000-000000000001' };
const [OLD, NEW] = [
  { version: 1, name: 'old' },
  { version: 2, name: 'new' },
];

/** A database and a Redis for one test, with clients that the cache treats as separate processes. */
class World {
  readonly lines: string[] = [];
  readonly clients: Redis[] = [];
  readonly #database: Database;
  #closeDatabase: (() => Promise<void>) | undefined;
  readonly #logger = pino({ messageKey: 'event' }, { write: (line: string) => void this.lines.push(line) });

  static async open(testDatabase: TestDatabase): Promise<World> {
    const { statementTimeoutMs, poolSize } = testDatabase.config.database;
    const dataSource = await testDatabase.openDataSource({ entities: [] });
    const database = new Database(dataSource, {
      statementTimeoutMs,
      transactionTimeoutMs: statementTimeoutMs,
      poolSize,
      service: 'spec',
      openRunner: () => openRunner(dataSource),
      constraints: {},
      checkSchema: (session) => checkSchema(session, []),
    });
    const world = new World(testDatabase, database, await TestRedis.start());
    world.#closeDatabase = () => dataSource.destroy();
    return world;
  }

  private constructor(
    readonly testDatabase: TestDatabase,
    database: Database,
    readonly server: TestRedis,
  ) {
    this.#database = database;
  }

  readonly connect = async (port = this.server.address.port): Promise<Redis> => {
    const url = new Secret(`redis://127.0.0.1:${port}/0`);
    const client = await createRedis({ ...this.testDatabase.config, redis: { url } }, this.#logger);
    if (!client) throw new Error('no client');
    this.clients.push(client);
    return client;
  };

  /** For commands of the test, so that they do not delay the commands of the cache. */
  readonly connectAsAdmin = async (port = this.server.address.port): Promise<Redis> => {
    const client = new IoRedis({ host: '127.0.0.1', port, lazyConnect: true, disconnectTimeout: 200 });
    await client.connect();
    this.clients.push(client);
    return client;
  };

  /** A client that the cache treats as a separate process. */
  readonly createCache = (redis: Redis | undefined, environment = 'testing'): ReadCache<Row> =>
    new ReadCaches({
      database: this.#database,
      redis,
      environment,
      logger: this.#logger,
      tables: ['spec'],
    }).create<Row>('spec', 1);

  readonly open = async (port?: number): Promise<ReadCache<Row>> => this.createCache(await this.connect(port));

  /** Closes the database first, so that its sessions have ended before it is dropped. */
  async close(): Promise<void> {
    await this.#closeDatabase?.();
    for (const client of this.clients) client.disconnect();
    await this.server.stop();
  }
}

async function readsCached(cache: ReadCache<Row>, of = key): Promise<boolean> {
  return (await cache.read(of, () => Promise.resolve(undefined))) !== undefined;
}

/** Fills the cache, which may be closed at first. */
async function fill(cache: ReadCache<Row>, row = OLD): Promise<void> {
  for (let count = 0; !(await readsCached(cache)); count += 1) {
    if (count === MAX_FILLS) throw new Error('the cache did not open');
    await cache.read(key, () => Promise.resolve(row));
    await sleep(20);
  }
}

describeWithOwnRedis('the read cache', () => {
  const itTogether = useTogether({ limit: 6 });
  /** Each test has its own database, because the state of the cache is one row in it. */
  const itCached = (title: string, run: (world: World) => Promise<void>) =>
    itTogether(title, () =>
      withTestDatabase(async (database) => {
        const world = await World.open(database);
        await run(world).finally(() => world.close());
      }),
    );

  itCached('returns a cached row only to its owner and in its environment', async ({ open, connect, createCache }) => {
    const [here, there] = [await open(), await open()];
    await fill(here);
    expect(await there.read(key, () => Promise.reject(new Error('asked')))).toEqual(OLD);
    expect(await readsCached(there, { ...key, userId: 'user_2' })).toBe(false);
    expect(await readsCached(createCache(await connect(), 'preview'))).toBe(false);
  });

  itCached(
    'distinguishes owners and ids whose concatenation is equal, in keys of one length',
    async ({ open, connectAsAdmin }) => {
      const [cache, client] = [await open(), await connectAsAdmin()];
      const [long, alike] = [
        { userId: `${'ü'.repeat(255)}:a`, id: 'b' },
        { userId: 'ü'.repeat(255), id: 'a:b' },
      ];
      await fill(cache);
      await cache.read(long, () => Promise.resolve(OLD));
      expect([await readsCached(cache, long), await readsCached(cache, alike)]).toEqual([true, false]);
      const names = await client.keys('*:spec:*');
      expect(new Set(names.map(({ length }) => length)).size).toBe(1);
    },
  );

  itCached('keeps a row for a bounded time', async ({ open, connectAsAdmin }) => {
    const [cache, client] = [await open(), await connectAsAdmin()];
    await fill(cache);
    const [name = ''] = await client.keys('*:spec:*');
    expect(await client.pttl(name)).toBeGreaterThan(0);
    expect(await client.pttl(name)).toBeLessThanOrEqual(CACHE_TTL_MS);
  });

  const misses: [string, (client: Redis, name: string) => Promise<unknown>][] = [
    ['a list', (client, name) => client.rpush(name, 'a')],
    ['text that is not JSON', (client, name) => client.set(name, '{')],
    ['JSON that is not a row', (client, name) => client.set(name, '"root"')],
    ['a row without a version', (client, name) => client.set(name, '{"name":"a"}')],
  ];
  for (const [title, plant] of misses) {
    itCached(`takes ${title}, where a row should be, for a miss`, async ({ open, connectAsAdmin }) => {
      const [cache, client] = [await open(), await connectAsAdmin()];
      await fill(cache);
      const [name = ''] = await client.keys('*:spec:*');
      await client.del(name);
      await plant(client, name);
      expect(await readsCached(cache)).toBe(false);
      expect(await cache.read(key, () => Promise.resolve(NEW))).toEqual(NEW);
    });
  }

  itCached(
    'asks a slow Redis once, and then works without it for a while',
    async ({ connect, createCache, server }) => {
      const client = await connect();
      const cache = createCache(client);
      await fill(cache);
      const asked = jest.spyOn(client, 'getex');
      server.signal('SIGSTOP');
      for (let count = 0; count < 5; count += 1) expect(await readsCached(cache)).toBe(false);
      expect(asked).toHaveBeenCalledTimes(1);
      server.signal('SIGCONT');
    },
  );

  itCached(
    'is not used on an older database without its table, and logs the fix once',
    async ({ open, lines, testDatabase }) => {
      await testDatabase.query('ALTER TABLE ops.read_cache RENAME TO gone');
      try {
        const cache = await open();
        for (let count = 0; count < 3; count += 1)
          expect(await cache.read(key, () => Promise.resolve(OLD))).toEqual(OLD);
        expect(await readsCached(cache)).toBe(false);
        expect(await cache.change(key, () => Promise.resolve('done'))).toBe('done');
        expect(
          lines.filter((line) => line.includes('cache.unavailable') && line.includes('airlock db migrate')),
        ).toHaveLength(1);
      } finally {
        await testDatabase.query('ALTER TABLE ops.gone RENAME TO read_cache');
      }
    },
  );

  itCached('opens although writes that Redis knows of go on', async ({ open }) => {
    const [reader, writer] = [await open(), await open()];
    let isWriting = true;
    const write = async () => {
      while (isWriting) {
        await writer.change({ ...key, id: '019a0000-0000-7000-8000-000000000002' }, () => sleep(20));
      }
    };
    const writes = write();
    await fill(reader);
    isWriting = false;
    await writes;
  });

  describe('after an acknowledged write never gives the row from before it:', () => {
    itCached('a slow reader stores no old row', async ({ open }) => {
      const [slow, writer] = [await open(), await open()];
      await fill(writer, { version: 0, name: 'older' });
      await writer.change(key, () => Promise.resolve());
      await slow.read(key, async () => {
        await writer.change(key, () => Promise.resolve());
        return OLD;
      });
      expect(await readsCached(writer)).toBe(false);
    });

    itCached('a reader that begins during the write caches nothing', async ({ open }) => {
      const [reader, writer] = [await open(), await open()];
      await fill(reader);
      await writer.change(key, async () => {
        await reader.read(key, () => Promise.resolve(OLD));
        expect(await readsCached(reader)).toBe(false);
      });
      expect(await readsCached(reader)).toBe(false);
    });

    itCached('of two concurrent writes, the first to end does not allow caching during the other', async ({ open }) => {
      const [reader, writer, other] = [await open(), await open(), await open()];
      await fill(reader);
      await writer.change(key, async () => {
        await other.change(key, () => Promise.resolve());
        await reader.read(key, () => Promise.resolve(OLD));
        expect(await readsCached(reader)).toBe(false);
      });
    });

    itCached('a writer that fails or dies leaves the row uncached', async ({ open }) => {
      const [reader, writer] = [await open(), await open()];
      await fill(reader);
      await expect(writer.change(key, () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
      await reader.read(key, () => Promise.resolve(OLD));
      expect(await readsCached(reader)).toBe(false);
    });

    itCached('only the writer cannot reach Redis', async ({ open, server }) => {
      const proxy = await TcpProxy.start(server.address);
      const [reader, writer] = [await open(), await open(proxy.port)];
      await fill(reader);
      await fill(writer);
      proxy.pause();
      await writer.change(key, () => Promise.resolve());
      expect(await readsCached(reader)).toBe(false);
      proxy.resume();
      await fill(reader, NEW);
      expect(await writer.read(key, () => Promise.resolve(NEW))).toEqual(NEW);
      await proxy.stop();
    });

    itCached('the writer has no Redis', async ({ open, createCache }) => {
      const reader = await open();
      await fill(reader);
      await createCache(undefined).change(key, () => Promise.resolve());
      expect(await readsCached(reader)).toBe(false);
    });

    itCached('no reader caches the row while a writer without Redis writes', async ({ open, createCache }) => {
      const [reader, writer] = [await open(), createCache(undefined)];
      await fill(reader);
      let row = OLD;
      const load = () => Promise.resolve(row);
      const readUntil = async (end: Promise<unknown>) => {
        let hasEnded = false;
        void end.finally(() => (hasEnded = true));
        while (!hasEnded) {
          await reader.read(key, load);
          await sleep(20);
        }
      };
      // The first write closes the cache. The second one begins shortly before the cache could open again.
      await readUntil(writer.change(key, () => Promise.resolve()));
      await writer.change(key, async () => {
        await readUntil(sleep(WRITE_MS));
        row = NEW;
        // The database has the new row, although the write is not acknowledged yet.
        expect(await reader.read(key, load)).toEqual(NEW);
      });
      expect(await reader.read(key, load)).toEqual(NEW);
    });

    itCached(
      'the writer loses Redis between its write and the end of its reservation',
      async ({ open, connectAsAdmin, server }) => {
        const proxy = await TcpProxy.start(server.address);
        const [reader, writer] = [await open(), await open(proxy.port)];
        await fill(reader);
        await fill(writer);
        const client = await connectAsAdmin();
        await writer.change(key, async () => {
          // The reservation of the writer is lost, and the writer cannot reach Redis.
          await client.flushall();
          await reader.read(key, () => Promise.resolve(OLD));
          proxy.pause();
        });
        expect(await readsCached(reader)).toBe(false);
        await proxy.stop();
      },
    );

    itCached('Redis restarts with the rows of an old snapshot', async ({ open, connectAsAdmin, clients, server }) => {
      const [reader, writer, client] = [await open(), await open(), await connectAsAdmin()];
      await fill(reader);
      await client.save();
      await writer.change(key, () => Promise.resolve());
      await server.kill();
      await server.start();
      while (clients.some(({ status }) => status !== 'ready')) await sleep(20);
      expect(await client.keys('*:spec:*')).not.toEqual([]);
      for (let count = 0; count < 150; count += 1) {
        expect(await readsCached(reader)).toBe(false);
        await sleep(20);
      }
      await fill(reader, NEW);
    });

    itCached(
      'the writer has failed over to a copy that lags, and the reader has not',
      async ({ open, connectAsAdmin, server }) => {
        const copy = await TestRedis.start();
        const [proxy, admin] = [await TcpProxy.start(server.address), await connectAsAdmin(copy.address.port)];
        const [reader, writer] = [await open(), await open(proxy.port)];
        await fill(reader);
        await fill(writer);
        await admin.replicaof('127.0.0.1', server.address.port);
        while (!(await admin.info('replication')).includes('master_link_status:up')) await sleep(20);
        await admin.replicaof('NO', 'ONE');
        proxy.redirect(copy.address);
        await writer.change(key, () => Promise.resolve());
        expect([await readsCached(reader), await readsCached(writer)]).toEqual([false, false]);
        admin.disconnect();
        await Promise.all([proxy.stop(), copy.stop()]);
      },
    );

    itCached('the Redis of the reader has become a replica that lags', async ({ open, connectAsAdmin }) => {
      const copy = await TestRedis.start();
      const [reader, admin] = [await open(), await connectAsAdmin()];
      await fill(reader);
      await admin.replicaof('127.0.0.1', copy.address.port);
      expect(await readsCached(reader)).toBe(false);
      await sleep(LEASE_MS);
      expect(await readsCached(reader)).toBe(false);
      await copy.stop();
    });
  });
});
