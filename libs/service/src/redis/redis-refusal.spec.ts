import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@airlock/config';
import { findFreePort } from '@airlock/config/testing';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { Redis as RedisClient } from 'ioredis';
import { pino } from 'pino';
import { describeWithOwnRedis, TestRedis } from '../testing/redis.fixture.js';
import { useTogether } from '../testing/use-together.fixture.js';
import type { Redis } from 'ioredis';
import { createRedis } from './redis.js';

jest.setTimeout(60_000);

const PASSWORD = 'never-shown-0123456789';
/** A command that a busy machine answers late would be logged too. */
const NEVER_MS = 10 * 60 * 1000;
/** Long enough for several attempts to connect, each of which could log a line. */
const ATTEMPTS_MS = 2_500;

interface Line {
  readonly event: string;
  readonly reason?: string;
}

describeWithOwnRedis('a Redis that refuses this process', () => {
  let folder: string;
  let warned: jest.SpiedFunction<typeof console.warn>;
  const itTogether = useTogether();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'redis-refusal-'));
    createCertificate(folder);
    warned = jest.spyOn(console, 'warn');
  });
  afterAll(() => {
    // Every refusal is a line of the log, and nothing is printed beside it.
    expect(warned).not.toHaveBeenCalled();
    rmSync(folder, { recursive: true, force: true });
  });

  const withRefusal = async (use: (refusal: Refusal) => Promise<void>): Promise<void> => {
    const refusal = await Refusal.start(folder);
    try {
      await use(refusal);
    } finally {
      await refusal.stop();
    }
  };

  const refused: [string, (refusal: Refusal) => string, string][] = [
    ['has another password', ({ at }) => at('limited:wrong-0123456789@'), 'rejects the user and password'],
    ['does not know the user', ({ at }) => at(`unknown:${PASSWORD}@`), 'rejects the user and password'],
    ['has fewer databases', ({ at }) => at('', '/99'), 'has no database 99'],
    [
      'has a certificate that is not trusted',
      ({ at, tlsPort }) => at('', '/0', tlsPort).replace('redis:', 'rediss:'),
      'is not trusted',
    ],
  ];
  for (const [cause, url, reason] of refused) {
    itTogether(`and ${cause} is logged once, with the fix, and never used`, () =>
      withRefusal(async (refusal) => {
        const { admin, lines } = refusal;
        const client = await refusal.connect(url(refusal));
        expect(lines.map(({ event }) => event)).toEqual(['redis.refused']);
        expect(lines[0]?.reason).toMatch(/^REDIS_URL: 127\.0\.0\.1:\d+ |^REDIS_URL: the certificate of /);
        expect(lines[0]?.reason).toContain(reason);
        expect(lines[0]?.reason).toMatch(/\n {2}\S/);
        expect(JSON.stringify(lines)).not.toContain(PASSWORD);
        expect(client.status).not.toBe('ready');
        await expect(client.set('airlock:testing:stray', '1')).rejects.toThrow();
        expect(await admin.keys('*')).toEqual([]);
      }),
    );
  }

  const otherProtocol: [string, (refusal: Refusal) => string, string][] = [
    ['has no TLS', ({ at }) => at('').replace('redis:', 'rediss:'), 'expected a Redis with TLS'],
    ['expects TLS', ({ at, tlsPort }) => at('', '/0', tlsPort), 'expected a Redis without TLS'],
  ];
  for (const [cause, url, reason] of otherProtocol) {
    itTogether(`and ${cause} is logged as unavailable, and with its cause as soon as that is certain`, () =>
      withRefusal(async (refusal) => {
        const { admin, lines } = refusal;
        await refusal.connect(url(refusal));
        for (let waited = 0; waited < 300 && lines.length < 2; waited += 1) await sleep(50);
        await sleep(ATTEMPTS_MS);
        expect(lines.map(({ event }) => event)).toEqual(['redis.unavailable', 'redis.refused']);
        expect(lines[1]?.reason).toContain(reason);
        expect(await admin.keys('*')).toEqual([]);
      }),
    );
  }

  for (const command of ['ping', 'info', 'getex', 'eval', 'sadd', 'incrby', 'pexpire']) {
    itTogether(`the command ${command} is logged once with the command, and keeps its connection`, () =>
      withRefusal(async (refusal) => {
        const { admin, at, lines } = refusal;
        const countConnections = async () =>
          Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
        await admin.call('ACL', 'SETUSER', 'limited', `-${command}`);
        const before = await countConnections();
        await refusal.connect(at(`limited:${PASSWORD}@`));
        await sleep(ATTEMPTS_MS);
        expect(lines.map(({ event }) => event)).toEqual(['redis.refused']);
        expect(lines[0]?.reason).toContain(`may not run ${command.toUpperCase()}`);
        expect(lines[0]?.reason).toContain(`ACL SETUSER limited +${command}`);
        expect(await countConnections()).toBe(before + 1);
      }),
    );
  }

  itTogether('the keys of this service is logged', () =>
    withRefusal(async (refusal) => {
      const { admin, at, lines } = refusal;
      await admin.call('ACL', 'SETUSER', 'limited', 'resetkeys', '~other:*');
      await refusal.connect(at(`limited:${PASSWORD}@`));
      expect(lines).toEqual([expect.objectContaining({ event: 'redis.refused' })]);
      expect(lines[0]?.reason).toContain('ACL SETUSER limited ~airlock:*');
    }),
  );

  itTogether('and accepts it later is used without a restart', () =>
    withRefusal(async (refusal) => {
      const { admin, at, lines } = refusal;
      await admin.call('ACL', 'SETUSER', 'limited', 'resetpass', '>other-0123456789');
      await refusal.connect(at(`limited:${PASSWORD}@`));
      await admin.call('ACL', 'SETUSER', 'limited', `>${PASSWORD}`);
      for (let waited = 0; waited < 100 && !lines.some(({ event }) => event === 'redis.recovered'); waited += 1)
        await sleep(50);
      expect(lines.map(({ event }) => event)).toEqual(['redis.refused', 'redis.recovered']);
    }),
  );
});

/** A Redis with a user that the test restricts, and the process that it rejects. */
class Refusal {
  readonly lines: Line[] = [];
  readonly admin: RedisClient;
  #client: Redis | undefined;

  /** @param folder contains the certificate of the TLS port */
  static async start(folder: string): Promise<Refusal> {
    const tlsPort = await findFreePort();
    const { key, certificate } = nameCertificate(folder);
    const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key];
    const trust = ['--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no'];
    const refusal = new Refusal(await TestRedis.start('--databases', '1', ...tls, ...trust), tlsPort);
    await refusal.admin.call('ACL', 'SETUSER', 'limited', 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
    return refusal;
  }

  private constructor(
    readonly server: TestRedis,
    readonly tlsPort: number,
  ) {
    this.admin = new RedisClient(server.address);
  }

  readonly at = (credentials: string, path = '/0', port = this.server.address.port): string =>
    `redis://${credentials}127.0.0.1:${port}${path}`;

  async connect(url: string): Promise<Redis> {
    const write = (line: string) => void this.lines.push(JSON.parse(line) as Line);
    const config = { redis: { url: new Secret(url) }, service: { name: 'spec' }, environment: 'testing' } as const;
    const client = await createRedis(
      config as unknown as Parameters<typeof createRedis>[0],
      pino({ messageKey: 'event' }, { write }),
      { commandTimeoutMs: NEVER_MS },
    );
    if (!client) throw new Error('no client');
    this.#client = client;
    await sleep(ATTEMPTS_MS);
    return client;
  }

  async stop(): Promise<void> {
    this.#client?.disconnect();
    this.admin.disconnect();
    await this.server.stop();
  }
}

function nameCertificate(folder: string): { key: string; certificate: string } {
  return { key: join(folder, 'key.pem'), certificate: join(folder, 'certificate.pem') };
}

function createCertificate(folder: string): void {
  const { key, certificate } = nameCertificate(folder);
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const request = ['req', ...kind, '-subj', '/CN=redis', '-keyout', key, '-out', certificate];
  execFileSync('openssl', request, { stdio: 'ignore' });
}
