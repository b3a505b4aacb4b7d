import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { loadConfig, Secret } from '@airlock/config';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { FastifyReply } from 'fastify';
import { RateLimits } from '../http/rate-limits.js';
import { describeWithOwnRedis, TestRedis } from '../testing/redis.fixture.js';
import { TcpProxy } from '../testing/tcp-proxy.fixture.js';
import { ReadCaches } from './read-caches.js';
import { CACHE_TTL_MS } from './redis-trust.js';
import { createRedis, type Redis } from './redis.js';

const silent = pino({ level: 'silent' });
const key = { userId: 'user_1', id: '019a0000-0000-7000-8000-000000000001' };
const reply = { header: () => reply } as unknown as FastifyReply;

// One of these tests kills its server, so they start one of their own instead of the one that is lent.
describeWithOwnRedis('with Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  let other: Redis;

  const connect = async (url = server.url) => {
    const config = loadConfig({
      env: {
        ENVIRONMENT: 'testing',
        DATABASE_URL: 'postgres://airlock_app:q7Vd2mXc81LkPz0w@127.0.0.1:5433/airlock_test',
      },
      cwd: '/',
    });
    const limited = { ...config, http: { ...config.http, rateLimitPerUser: 5 }, redis: { url } };
    const client = await createRedis(limited, silent);
    if (!client) throw new Error('no client');
    return { client, config: limited };
  };
  const cacheOf = (client: Redis, environment = 'testing') =>
    new ReadCaches(client, environment).create<{ version: number; name: string }>('spec');

  beforeAll(async () => {
    server = await TestRedis.start();
    redis = (await connect()).client.setMaxListeners(0);
    other = (await connect()).client.setMaxListeners(0);
  });
  afterAll(async () => {
    redis.disconnect();
    other.disconnect();
    await server.stop();
  });

  it('gives back what was put, to the same owner in the same environment alone', async () => {
    await cacheOf(redis).put(key, { version: 1, name: 'a' });
    expect(await cacheOf(other).get(key)).toEqual({ version: 1, name: 'a' });
    expect(await cacheOf(other).get({ ...key, userId: 'user_2' })).toBeUndefined();
    expect(await cacheOf(other, 'preview').get(key)).toBeUndefined();
  });

  it('keeps the newer row when a slow reader comes late', async () => {
    const slow = { ...key, id: 'slow' };
    await cacheOf(redis).put(slow, { version: 2, name: 'new' });
    await cacheOf(other).put(slow, { version: 1, name: 'old' });
    expect(await cacheOf(redis).get(slow)).toEqual({ version: 2, name: 'new' });
  });

  it('puts nothing back after a deletion', async () => {
    const deleted = { ...key, id: 'deleted' };
    await cacheOf(redis).remove(deleted);
    await cacheOf(other).put(deleted, { version: 7, name: 'ghost' });
    expect(await cacheOf(redis).get(deleted)).toBeUndefined();
  });

  it('ends what it keeps', async () => {
    await cacheOf(redis).put({ ...key, id: 'ending' }, { version: 1, name: 'a' });
    const left = await redis.pttl('airlock:testing:spec:user_1:ending');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(CACHE_TTL_MS);
  });

  it('counts a user over all replicas', async () => {
    const { config } = await connect().then(({ client, config }) => (client.disconnect(), { config }));
    const [here, there] = [new RateLimits(config, redis), new RateLimits(config, other)];
    const take = (limits: RateLimits) => {
      try {
        limits.takeUser('user_1', reply);
        return true;
      } catch {
        return false;
      }
    };
    expect([take(here), take(here), take(here), take(there), take(there)]).toEqual([true, true, true, true, true]);
    for (let waited = 0; waited < 50 && take(here); waited += 1) await sleep(100);
    expect(take(here)).toBe(false);
    for (const limits of [here, there]) limits.onApplicationShutdown();
  });

  it.each([
    ['a list', (name: string) => redis.rpush(name, 'a')],
    ['no JSON', (name: string) => redis.hset(name, 'v', 1, 'd', '{')],
    ['JSON that is no row', (name: string) => redis.hset(name, 'v', 1, 'd', '"root"')],
    ['a row without a version', (name: string) => redis.hset(name, 'v', 1, 'd', '{"name":"a"}')],
  ])('takes %s, where a row should be, for a miss', async (_, plant) => {
    await redis.del('airlock:testing:spec:user_1:planted');
    await plant('airlock:testing:spec:user_1:planted');
    const cache = cacheOf(redis);
    expect(await cache.get({ ...key, id: 'planted' })).toBeUndefined();
    await expect(cache.put({ ...key, id: 'planted' }, { version: 2, name: 'b' })).resolves.toBeUndefined();
  });

  it('counts in this process alone where the shared counter is something else', async () => {
    const { client, config } = await connect();
    const limits = new RateLimits(config, client);
    const counted = jest.spyOn(client, 'pipeline');
    limits.takeUser('user_9', reply);
    for (let waited = 0; waited < 50 && counted.mock.calls.length === 0; waited += 1) await sleep(20);
    const [name = ''] = await client.keys('airlock:testing:limit:*');
    for (const each of await client.keys('airlock:testing:limit:*')) await client.del(each);
    await client.rpush(name, 'a');
    let taken = 1;
    try {
      for (; taken < 100; taken += 1) limits.takeUser('user_9', reply);
    } catch {
      // Refused: the limit holds.
    }
    expect(taken).toBe(5);
    limits.onApplicationShutdown();
    client.disconnect();
  });

  it('asks a Redis that is too slow once, and then goes without it for a while', async () => {
    const { client } = await connect();
    const asked = jest.spyOn(client, 'hget');
    const cache = cacheOf(client);
    server.signal('SIGSTOP');
    for (let count = 0; count < 5; count += 1) expect(await cache.get(key)).toBeUndefined();
    expect(asked).toHaveBeenCalledTimes(1);
    server.signal('SIGCONT');
    client.disconnect();
  });

  it('gives up a connection that is not heard of any more for one that answers', async () => {
    const proxy = await TcpProxy.start(server.address);
    const { client } = await connect(new Secret(`redis://127.0.0.1:${proxy.port}/0`));
    expect(await client.ping()).toBe('PONG');
    proxy.silence();
    await expect(client.ping()).rejects.toThrow('timed out');
    const returned = async () =>
      client.ping().then(
        () => true,
        () => false,
      );
    for (let waited = 0; waited < 150 && !(await returned()); waited += 1) await sleep(100);
    expect(await client.ping()).toBe('PONG');
    expect(proxy.accepted).toBe(2);
    client.disconnect();
    await proxy.stop();
  });

  it('is a miss while Redis is away, fails nothing, and is not trusted right after', async () => {
    const cache = cacheOf(redis);
    const away = { ...key, id: 'away' };
    await cache.put(away, { version: 1, name: 'a' });
    await server.stop();
    expect(await cache.get(away)).toBeUndefined();
    await cache.put(away, { version: 2, name: 'b' });
    await server.start();
    for (let waited = 0; waited < 100 && redis.status !== 'ready'; waited += 1) await sleep(100);
    await cache.put(away, { version: 3, name: 'c' });
    expect(await cache.get(away)).toBeUndefined();
  });
});

it('is not loaded where none is configured', async () => {
  const config = loadConfig({
    env: {
      ENVIRONMENT: 'testing',
      DATABASE_URL: 'postgres://airlock_app:q7Vd2mXc81LkPz0w@127.0.0.1:5433/airlock_test',
    },
    cwd: '/',
  });
  const lines: string[] = [];
  const logger = pino({ messageKey: 'event' }, { write: (line: string) => void lines.push(line) });
  expect(await createRedis(config, logger)).toBeUndefined();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('limits are per process and nothing is cached');
});
