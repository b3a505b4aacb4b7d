import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@airlock/config';
import { useTestDatabase } from '@airlock/database/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { describeWithOwnRedis, TestRedis } from '../testing/redis.fixture.js';
import { TcpProxy } from '../testing/tcp-proxy.fixture.js';
import { LEASE_MS } from './cache-generation.js';
import { Database } from './database.js';
import { CACHE_TTL_MS, type ReadCache } from './read-cache.js';
import { ReadCaches } from './read-caches.js';
import { createRedis, type Redis } from './redis.js';

jest.setTimeout(60_000);

interface Row {
  readonly version: number;
  readonly name: string;
}

/** 20 ms apart: several times as long as a closed cache takes to open. */
const MAX_FILLS = 500;
const key = { userId: 'user_1', id: '019a0000-0000-7000-8000-000000000001' };
const [OLD, NEW] = [
  { version: 1, name: 'old' },
  { version: 2, name: 'new' },
];

describeWithOwnRedis('the read cache', () => {
  const testDatabase = useTestDatabase({ isolation: 'delete' });
  let database: Database;
  let server: TestRedis;
  let clients: Redis[];
  let lines: string[];

  beforeAll(async () => {
    const { statementTimeoutMs, poolSize } = testDatabase.config.database;
    database = new Database(await testDatabase.openDataSource({ entities: [] }), { statementTimeoutMs, poolSize });
  });
  beforeEach(async () => {
    [clients, lines] = [[], []];
    server = await TestRedis.start();
  });
  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  const logger = pino({ messageKey: 'event' }, { write: (line: string) => void lines.push(line) });
  const connect = async (port = server.address.port) => {
    const url = new Secret(`redis://127.0.0.1:${port}/0`);
    const client = await createRedis({ ...testDatabase.config, redis: { url } }, logger);
    if (!client) throw new Error('no client');
    clients.push(client);
    return client;
  };
  /** A process of its own, as far as the cache can tell. */
  const createCache = (redis: Redis | undefined, environment = 'testing') =>
    new ReadCaches({ database, redis, environment, logger }).create<Row>('spec');
  const open = async (port?: number) => createCache(await connect(port));
  const readsCached = async (cache: ReadCache<Row>, of = key) =>
    (await cache.read(of, () => Promise.resolve(undefined))) !== undefined;
  /** Fills the cache, which may just have been closed. */
  const fill = async (cache: ReadCache<Row>, row = OLD) => {
    for (let count = 0; !(await readsCached(cache)); count += 1) {
      if (count === MAX_FILLS) throw new Error('the cache did not open');
      await cache.read(key, () => Promise.resolve(row));
      await sleep(20);
    }
  };

  it('gives a row that was read before to its owner in its environment alone', async () => {
    const [here, there] = [await open(), await open()];
    await fill(here);
    expect(await there.read(key, () => Promise.reject(new Error('asked')))).toEqual(OLD);
    expect(await readsCached(there, { ...key, userId: 'user_2' })).toBe(false);
    expect(await readsCached(createCache(await connect(), 'preview'))).toBe(false);
  });

  it('keeps apart owners and ids that look alike together, in names of one length', async () => {
    const [cache, client] = [await open(), await connect()];
    const [long, alike] = [
      { userId: `${'ü'.repeat(255)}:a`, id: 'b' },
      { userId: 'ü'.repeat(255), id: 'a:b' },
    ];
    await fill(cache);
    await cache.read(long, () => Promise.resolve(OLD));
    expect([await readsCached(cache, long), await readsCached(cache, alike)]).toEqual([true, false]);
    const names = await client.keys('*:spec:*');
    expect(new Set(names.map(({ length }) => length)).size).toBe(1);
  });

  it('keeps a row for a bounded time', async () => {
    const [cache, client] = [await open(), await connect()];
    await fill(cache);
    const [name = ''] = await client.keys('*:spec:*');
    expect(await client.pttl(name)).toBeGreaterThan(0);
    expect(await client.pttl(name)).toBeLessThanOrEqual(CACHE_TTL_MS);
  });

  it.each([
    ['a list', (client: Redis, name: string) => client.rpush(name, 'a')],
    ['text that is not JSON', (client: Redis, name: string) => client.set(name, '{')],
    ['JSON that is not a row', (client: Redis, name: string) => client.set(name, '"root"')],
    ['a row without a version', (client: Redis, name: string) => client.set(name, '{"name":"a"}')],
  ])('takes %s, where a row should be, for a miss', async (_, plant) => {
    const [cache, client] = [await open(), await connect()];
    await fill(cache);
    const [name = ''] = await client.keys('*:spec:*');
    await client.del(name);
    await plant(client, name);
    expect(await readsCached(cache)).toBe(false);
    expect(await cache.read(key, () => Promise.resolve(NEW))).toEqual(NEW);
  });

  it('asks a Redis that is too slow once, and then goes without it for a while', async () => {
    const client = await connect();
    const cache = createCache(client);
    await fill(cache);
    const asked = jest.spyOn(client, 'getex');
    server.signal('SIGSTOP');
    for (let count = 0; count < 5; count += 1) expect(await readsCached(cache)).toBe(false);
    expect(asked).toHaveBeenCalledTimes(1);
    server.signal('SIGCONT');
  });

  it('is not used, and says so once with the command that helps, on a database from before it', async () => {
    await testDatabase.query('ALTER TABLE ops.read_cache RENAME TO gone');
    try {
      const cache = await open();
      for (let count = 0; count < 3; count += 1) expect(await cache.read(key, () => Promise.resolve(OLD))).toEqual(OLD);
      expect(await readsCached(cache)).toBe(false);
      expect(await cache.change(key, () => Promise.resolve('done'))).toBe('done');
      expect(
        lines.filter((line) => line.includes('cache.unavailable') && line.includes('airlock db migrate')),
      ).toHaveLength(1);
    } finally {
      await testDatabase.query('ALTER TABLE ops.gone RENAME TO read_cache');
    }
  });

  describe('after an acknowledged write never gives the row from before it:', () => {
    it('a reader that was slow puts nothing back', async () => {
      const [slow, writer] = [await open(), await open()];
      await fill(writer, { version: 0, name: 'older' });
      await writer.change(key, () => Promise.resolve());
      await slow.read(key, async () => {
        await writer.change(key, () => Promise.resolve());
        return OLD;
      });
      expect(await readsCached(writer)).toBe(false);
    });

    it('a reader that comes while the write runs caches nothing', async () => {
      const [reader, writer] = [await open(), await open()];
      await fill(reader);
      await writer.change(key, async () => {
        await reader.read(key, () => Promise.resolve(OLD));
        expect(await readsCached(reader)).toBe(false);
      });
      expect(await readsCached(reader)).toBe(false);
    });

    it('of two writes at once the first to end does not uncover the other', async () => {
      const [reader, writer, other] = [await open(), await open(), await open()];
      await fill(reader);
      await writer.change(key, async () => {
        await other.change(key, () => Promise.resolve());
        await reader.read(key, () => Promise.resolve(OLD));
        expect(await readsCached(reader)).toBe(false);
      });
    });

    it('a writer that fails, or dies, leaves the row uncached', async () => {
      const [reader, writer] = [await open(), await open()];
      await fill(reader);
      await expect(writer.change(key, () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
      await reader.read(key, () => Promise.resolve(OLD));
      expect(await readsCached(reader)).toBe(false);
    });

    it('only the writer cannot reach Redis', async () => {
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

    it('the writer has no Redis', async () => {
      const reader = await open();
      await fill(reader);
      await createCache(undefined).change(key, () => Promise.resolve());
      expect(await readsCached(reader)).toBe(false);
    });

    it('the writer loses Redis between its write and the word of it', async () => {
      const proxy = await TcpProxy.start(server.address);
      const [reader, writer] = [await open(), await open(proxy.port)];
      await fill(reader);
      await fill(writer);
      const client = await connect();
      await writer.change(key, async () => {
        // All that protects the row is lost, and the writer cannot tell anybody.
        await client.flushall();
        await reader.read(key, () => Promise.resolve(OLD));
        proxy.pause();
      });
      expect(await readsCached(reader)).toBe(false);
      await proxy.stop();
    });

    it('Redis comes back with the rows of an old snapshot', async () => {
      const [reader, writer, client] = [await open(), await open(), await connect()];
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

    it('the writer has failed over to a copy that lags, and the reader has not', async () => {
      const copy = await TestRedis.start();
      const [proxy, admin] = [await TcpProxy.start(server.address), await connect(copy.address.port)];
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
    });

    it('the Redis of the reader has become a replica that lags', async () => {
      const copy = await TestRedis.start();
      const [reader, admin] = [await open(), await connect()];
      await fill(reader);
      await admin.replicaof('127.0.0.1', copy.address.port);
      expect(await readsCached(reader)).toBe(false);
      await sleep(LEASE_MS);
      expect(await readsCached(reader)).toBe(false);
      await copy.stop();
    });
  });
});
