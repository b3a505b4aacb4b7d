import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { migrate, provision } from '@airlock/database/operations';
import { model } from '@airlock/model';
import { type Cluster, startCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { describeWithOwnRedis, TestIssuer, TestRedis, useTogether } from '@airlock/service/testing';
import { ApiProcess } from '../testing/api-process.fixture.js';

jest.setTimeout(120_000);

const APP_PASSWORD = 'q7Vd2mXc81LkPz0w';
const WRONG = new Secret('wrong-password-0123456789');
const UP = [200, { status: 'ok', checks: { database: 'up' } }];
const DOWN = [503, { status: 'down', checks: { database: 'down' } }];
/** Three probes, one second apart, and a margin for a busy machine. */
const PATIENCE_MS = 15_000;

const UNLIMITED = { RATE_LIMIT_PER_USER: '1000000', RATE_LIMIT_PER_ADDRESS: '1000000' };

/** The tests of Redis and of the database run concurrently. */
const itTogether = useTogether({ timeoutMs: 120_000 });
const database = useTestDatabase();

describe('the API when its database', () => {
  let folder: string;
  let cluster: Cluster;
  let config: Config;
  let api: ApiProcess;
  let stranger: ApiProcess;
  let issuer: TestIssuer;

  beforeAll(async () => {
    folder = mkdtempSync('/dev/shm/resilience-');
    issuer = await TestIssuer.start();
    cluster = await startCluster({ dataDir: join(folder, 'data'), durable: false, keepFolder: true });
    config = createConfig(cluster.port);
    const { app, migration } = config.database;
    if (!migration) throw new Error('no migrator');
    await provision({ admin: cluster.superuser, app, migration, environment: 'testing' });
    await migrate({ config, ...model });
    const known = { ...config, auth: issuer.auth };
    const database = { ...config.database, app: { ...app, password: WRONG } };
    stranger = new ApiProcess({ config: { ...known, database } });
    api = await ApiProcess.start({ config: known });
    // Before the server fails, because this would wait for it.
    await stranger.exited;
  });
  afterAll(async () => {
    await Promise.all([api.stop(), stranger.stop()]);
    await issuer.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const probe = async (path: string): Promise<[number, unknown]> => {
    const response = await fetch(`${api.url}${path}`);
    return [response.status, await response.json()];
  };
  const read = async () =>
    fetch(`${api.url}/api/v1/entities`, { headers: { authorization: `Bearer ${await issuer.sign()}` } });
  const waitFor = async (expected: unknown[]) => {
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(100)) {
      if (JSON.stringify(await probe('/readyz')) === JSON.stringify(expected)) return;
    }
    expect(await probe('/readyz')).toEqual(expected);
  };
  const waitForAnswer = async () => {
    const deadline = performance.now() + PATIENCE_MS;
    while ((await read()).status !== 200 && performance.now() < deadline) await sleep(100);
    expect((await read()).status).toBe(200);
  };
  const postmaster = () => Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0]);

  it('is paused: it stays alive, reports down, opens few connections, and recovers without a restart', async () => {
    await waitFor(UP);
    const server = [postmaster(), ...childrenOf(postmaster())];
    for (const pid of server) process.kill(pid, 'SIGSTOP');
    await waitFor(DOWN);
    const [status, body] = await probe('/healthz');
    expect([status, body]).toEqual([200, { status: 'ok' }]);
    expect((await probe('/startupz'))[0]).toBe(200);
    const before = countConnectionsTo(cluster.port);
    await Promise.all(Array.from({ length: 50 }, () => probe('/readyz')));
    // A hanging probe is cancelled and retried every few seconds, independent of the number of callers.
    expect(countConnectionsTo(cluster.port) - before).toBeLessThan(10);
    for (const pid of server) process.kill(pid, 'SIGCONT');
    await waitFor(UP);
    expect((await read()).status).toBe(200);
  });

  it('crashes under load: callers get 503, and the process stays alive and serves again', async () => {
    await waitFor(UP);
    const authorization = `Bearer ${await issuer.sign()}`;
    const statuses = new Set<number>();
    let isLoading = true;
    const load = async () => {
      while (isLoading)
        statuses.add((await fetch(`${api.url}/api/v1/entities`, { headers: { authorization } })).status);
    };
    const loads = Promise.all(Array.from({ length: 8 }, load));
    while (!statuses.has(200)) await sleep(10);
    // If one session crashes, the server ends all other sessions and runs recovery.
    process.kill(childrenOf(postmaster()).find(isApiSession) ?? NaN, 'SIGKILL');
    while (!statuses.has(503)) await sleep(10);
    // Readiness does not change during such a short outage.
    await waitForAnswer();
    isLoading = false;
    await loads;
    expect([...statuses].sort()).toEqual([200, 503]);
    expect(api.lines.filter(({ event }) => String(event).startsWith('shutdown.'))).toEqual([]);
  });

  it('is restarted: callers get 503 with a retry time and no message of the driver, until it has recovered', async () => {
    await waitFor(UP);
    const { port, dataDir } = cluster;
    await cluster.stop();
    await waitFor(DOWN);
    const refused = await read();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    const text = await refused.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'dependency-unavailable' });
    for (const leak of ['127.0.0.1', String(port), 'ECONNREFUSED', 'connect', 'airlock_app'])
      expect(text).not.toContain(leak);
    cluster = await startCluster({ dataDir, durable: false, keepFolder: true, port });
    await waitFor(UP);
    expect((await read()).status).toBe(200);
    const logged = api.lines
      .map(({ event }) => event)
      .filter((event) => /^database\.(unavailable|recovered)$/.test(String(event)));
    expect(logged.slice(-2)).toEqual(['database.unavailable', 'database.recovered']);
  });

  it('has another password: it reports down, without server, user or cause', async () => {
    const { code } = await stranger.exited;
    expect(code).not.toBe(0);
    expect(JSON.stringify(stranger.lines)).not.toContain(WRONG.reveal());
  });
});

describeWithOwnRedis('the API when its Redis', () => {
  itTogether(
    'is killed under load: no request fails, and readiness is degraded until Redis has recovered',
    async () => {
      const redis = await TestRedis.start();
      const issuer = await TestIssuer.start();
      const config = { ...database.config, auth: issuer.auth };
      const api = await ApiProcess.start({ config, env: { ...UNLIMITED, REDIS_URL: redis.url.reveal() } });
      const headers = { authorization: `Bearer ${await issuer.sign()}` };
      const statuses = new Set<number>();
      let isLoading = true;
      const load = async () => {
        for (; isLoading; await sleep(5)) statuses.add((await fetch(`${api.url}/api/v1/entities`, { headers })).status);
      };
      const loads = Promise.all(Array.from({ length: 4 }, load));
      const waitForRedis = async (word: string) => {
        const expected = [200, { status: word === 'up' ? 'ok' : word, checks: { database: 'up', redis: word } }];
        let seen: unknown;
        for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(100)) {
          const response = await fetch(`${api.url}/readyz`);
          seen = [response.status, await response.json()];
          if (JSON.stringify(seen) === JSON.stringify(expected)) return;
        }
        expect(seen).toEqual(expected);
      };
      await waitForRedis('up');
      await redis.kill();
      await waitForRedis('degraded');
      await redis.start();
      await waitForRedis('up');
      isLoading = false;
      await loads;
      expect([...statuses]).toEqual([200]);
      for (const event of ['redis.unavailable', 'redis.recovered'])
        expect(api.lines.filter((line) => line['event'] === event)).toHaveLength(1);
      await api.stop();
      await Promise.all([issuer.stop(), redis.stop()]);
    },
  );
});

function createConfig(port: number): Config {
  const url = (user: string, password: string) => `postgres://${user}:${password}@127.0.0.1:${port}/airlock_test`;
  return loadConfig({
    env: {
      ENVIRONMENT: 'testing',
      DATABASE_URL: url('airlock_app', APP_PASSWORD),
      DATABASE_MIGRATION_URL: url('airlock_migrator', 'k3Rt9sWb64HnQy1j'),
    },
    cwd: '/',
  });
}

/** The sessions and helpers of a server. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function isApiSession(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('airlock_app');
  } catch {
    // The process has ended since it was listed.
    return false;
  }
}

const ESTABLISHED = '01';

/** Open connections to a port of this machine, counted on the client side. */
function countConnectionsTo(port: number): number {
  const address = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => remote?.endsWith(address) && state === ESTABLISHED).length;
}
