import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { FastifyReply } from 'fastify';
import { RateLimits } from '../http/rate-limits.js';
import { describeWithOwnRedis, TestRedis } from '../testing/redis.fixture.js';
import { TcpProxy } from '../testing/tcp-proxy.fixture.js';
import type { Redis } from 'ioredis';
import { createRedis } from './redis.js';

const silent = pino({ level: 'silent' });
const reply = { header: () => reply } as unknown as FastifyReply;

// One of these tests kills its server, so they start their own instead of using the shared one.
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

  it('counts the requests of a user in all replicas', async () => {
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

  it('counts in this process alone if the key of the shared counter has another type', async () => {
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
      // Rejected: the limit applies.
    }
    expect(taken).toBe(5);
    limits.onApplicationShutdown();
    client.disconnect();
  });

  it('replaces a silent connection by one that responds', async () => {
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
});

it('is not loaded if none is configured', async () => {
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
