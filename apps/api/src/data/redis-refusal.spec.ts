import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@airlock/config';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { Redis as RedisClient } from 'ioredis';
import { pino } from 'pino';
import { findFreePort } from '../testing/free-port.fixture.js';
import { describeWithOwnRedis, TestRedis } from '../testing/redis.fixture.js';
import { createRedis, type Redis } from './redis.js';

jest.setTimeout(60_000);

const PASSWORD = 'never-shown-0123456789';
/** Long enough for several attempts to connect, each of which could log a line. */
const ATTEMPTS_MS = 2_500;

interface Line {
  readonly event: string;
  readonly reason?: string;
}

describeWithOwnRedis('a Redis that refuses this process', () => {
  let folder: string;
  let server: TestRedis;
  let tlsPort: number;
  let admin: RedisClient;
  let client: Redis | undefined;
  let lines: Line[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'redis-refusal-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '1',
    ];
    execFileSync('openssl', [...request, '-subj', '/CN=redis', '-keyout', key, '-out', certificate], {
      stdio: 'ignore',
    });
    tlsPort = await findFreePort();
    const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key];
    server = await TestRedis.start(
      '--databases',
      '1',
      ...tls,
      '--tls-ca-cert-file',
      certificate,
      '--tls-auth-clients',
      'no',
    );
    admin = new RedisClient(server.address);
    await admin.call('ACL', 'SETUSER', 'limited', 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
  });
  afterEach(() => client?.disconnect());
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const connect = async (url: string) => {
    lines = [];
    const write = (line: string) => void lines.push(JSON.parse(line) as Line);
    const config = { redis: { url: new Secret(url) }, service: { name: 'spec' }, environment: 'testing' } as const;
    client = await createRedis(
      config as unknown as Parameters<typeof createRedis>[0],
      pino({ messageKey: 'event' }, { write }),
    );
    await sleep(ATTEMPTS_MS);
  };
  const at = (credentials: string, path = '/0', port = server.address.port) =>
    `redis://${credentials}127.0.0.1:${port}${path}`;

  it.each([
    ['has another password', () => at('limited:wrong-0123456789@'), 'does not accept the user and password'],
    ['does not know the user', () => at(`unknown:${PASSWORD}@`), 'does not accept the user and password'],
    ['has fewer databases', () => at('', '/99'), 'has no database 99'],
    [
      'has a certificate that is not trusted',
      () => at('', '/0', tlsPort).replace('redis:', 'rediss:'),
      'is not trusted',
    ],
  ])('and %s is told once, with its cure, and never used', async (_, url, reason) => {
    await connect(url());
    expect(lines.map(({ event }) => event)).toEqual(['redis.refused']);
    expect(lines[0]?.reason).toMatch(/^REDIS_URL: 127\.0\.0\.1:\d+ |^REDIS_URL: the certificate of /);
    expect(lines[0]?.reason).toContain(reason);
    expect(lines[0]?.reason).toMatch(/\n {2}\S/);
    expect(JSON.stringify(lines)).not.toContain(PASSWORD);
    expect(client?.status).not.toBe('ready');
    await expect(client?.set('airlock:testing:stray', '1')).rejects.toThrow();
    expect(await admin.keys('*')).toEqual([]);
  });

  it.each([
    ['has no TLS', () => at('').replace('redis:', 'rediss:'), 'expected a Redis with TLS'],
    ['expects TLS', () => at('', '/0', tlsPort), 'expected a Redis without TLS'],
  ])('and %s is told as unavailable, and by its cause once that is certain', async (_, url, reason) => {
    await connect(url());
    for (let waited = 0; waited < 300 && lines.length < 2; waited += 1) await sleep(50);
    await sleep(ATTEMPTS_MS);
    expect(lines.map(({ event }) => event)).toEqual(['redis.away', 'redis.refused']);
    expect(lines[1]?.reason).toContain(reason);
    expect(await admin.keys('*')).toEqual([]);
  });

  it.each(['ping', 'info', 'getex', 'eval', 'sadd', 'incrby', 'pexpire'])(
    'the command %s names it once and keeps its connection',
    async (command) => {
      await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', `>${PASSWORD}`, '~*', '&*', '+@all', `-${command}`);
      const before = Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
      await connect(at(`limited:${PASSWORD}@`));
      await sleep(ATTEMPTS_MS);
      expect(lines.map(({ event }) => event)).toEqual(['redis.refused']);
      expect(lines[0]?.reason).toContain(`may not run ${command.toUpperCase()}`);
      expect(lines[0]?.reason).toContain(`ACL SETUSER limited +${command}`);
      expect(Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1])).toBe(before + 1);
    },
  );

  it('the keys of this service says so', async () => {
    await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', `>${PASSWORD}`, '~other:*', '&*', '+@all');
    await connect(at(`limited:${PASSWORD}@`));
    expect(lines).toEqual([expect.objectContaining({ event: 'redis.refused' })]);
    expect(lines[0]?.reason).toContain('ACL SETUSER limited ~airlock:*');
  });

  it('and lets it in later is used without a restart', async () => {
    await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>other-0123456789', '~*', '&*', '+@all');
    await connect(at(`limited:${PASSWORD}@`));
    await admin.call('ACL', 'SETUSER', 'limited', `>${PASSWORD}`);
    for (let waited = 0; waited < 100 && !lines.some(({ event }) => event === 'redis.back'); waited += 1)
      await sleep(50);
    expect(lines.map(({ event }) => event)).toEqual(['redis.refused', 'redis.back']);
  });
});
