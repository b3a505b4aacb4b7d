import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { withClient } from '@airlock/database';
import { migrate, provision } from '@airlock/database/operations';
import { model } from '@airlock/model';
import { type Cluster, startCluster } from '@airlock/embedded-postgres';
import { findFreePort } from '@airlock/config/testing';
import { useTogether } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';

jest.setTimeout(120_000);

const PASSWORD = 'q7Vd2mXc81LkPz0w';
const WRONG = 'cAnArYwR0ngPassw0rd';
const COPY = 'copied_test';
const STARTING = [503, { status: 'starting' }];

describe('the start of the API', () => {
  const itTogether = useTogether({ limit: 3, timeoutMs: 120_000 });
  let folder: string;
  let cluster: Cluster;
  let config: Config;

  beforeAll(async () => {
    folder = mkdtempSync('/dev/shm/starting-');
    const dataDir = join(folder, 'data');
    cluster = await startCluster({ dataDir, durable: false, keepFolder: true });
    const { port } = cluster;
    config = createConfig(port);
    const { app, migration } = config.database;
    if (!migration) throw new Error('no migrator');
    await provision({ admin: cluster.superuser, app, migration, environment: 'testing' });
    await migrate({ config, ...model });
    await withClient(cluster.superuser, { config, purpose: 'test' }, (client) =>
      client.query(`CREATE DATABASE ${COPY} TEMPLATE airlock_test`),
    );
    await cluster.stop();
    // As the owner of the files, which may be another user than this one.
    execFileSync('cp', ['-a', dataDir, join(folder, 'late')]);
    cluster = await startCluster({ dataDir, durable: false, port });
  });
  afterAll(async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const withApi = async (api: ApiProcess, use: (api: ApiProcess) => Promise<void>) => {
    try {
      await use(api);
    } finally {
      await api.stop();
    }
  };
  const ask = async ({ url }: ApiProcess, path: string): Promise<unknown[]> => {
    const response = await fetch(`${url}${path}`);
    return [response.status, await response.json()];
  };
  const without = (change: Partial<Config['database']['app']>): Config => ({
    ...config,
    database: { ...config.database, app: { ...config.database.app, ...change } },
  });

  itTogether('succeeds without the database, which is awaited before any request is served', async () => {
    const port = await findFreePort();
    await withApi(await ApiProcess.start({ config: without({ port }) }), async (api) => {
      expect(await ask(api, '/healthz')).toEqual([200, { status: 'ok' }]);
      expect(await ask(api, '/readyz')).toEqual(STARTING);
      expect(await ask(api, '/startupz')).toEqual(STARTING);
      expect(await ask(api, '/api/v1/entities')).toMatchObject([503, { code: 'dependency-unavailable' }]);
      const late = await startCluster({ dataDir: join(folder, 'late'), durable: false, port });
      try {
        await api.waitFor('listening');
        expect(await ask(api, '/readyz')).toEqual([200, { status: 'ok', checks: { database: 'up' } }]);
        expect((await ask(api, '/startupz'))[0]).toBe(200);
        expect(api.lines.filter(({ event }) => event === 'database.awaited')).toHaveLength(1);
      } finally {
        await late.stop();
      }
    });
  });

  itTogether('stops on a signal while it waits', async () =>
    withApi(await ApiProcess.start({ config: without({ port: 1 }) }), async (api) => {
      api.signal('SIGTERM');
      expect(await api.exited).toEqual({ code: 0, signal: null });
    }),
  );

  const refusals: [string, () => Config, RegExp, (() => Record<string, string>)?][] = [
    ['a wrong password', () => without({ password: new Secret(WRONG) }), /DATABASE_URL: .* password of "airlock_app"/],
    ['a missing role', () => without({ user: 'nobody_app' }), /DATABASE_URL: .* password of "nobody_app"/],
    ['a missing database', () => without({ database: 'nothing_test' }), /no database "nothing_test"/],
    [
      'a copy of its database',
      () => without({ database: COPY }),
      /stamped as "airlock_test", but this one is "copied_test"/,
    ],
    ['a port that is taken', () => config, /^PORT: \d+ is in use/, () => ({ PORT: String(cluster.port) })],
    [
      'a management port that is taken',
      () => config,
      /^MANAGEMENT_PORT: \d+ is in use/,
      () => ({ MANAGEMENT_PORT: String(cluster.port) }),
    ],
    [
      'a management port that is taken, in its supervisor',
      () => config,
      /^MANAGEMENT_PORT: \d+ is in use/,
      () => ({ MANAGEMENT_PORT: String(cluster.port), WORKERS: '2' }),
    ],
    [
      'an address of another machine',
      () => config,
      /^HOST: 192\.0\.2\.1 is not an address of this machine/,
      () => ({ HOST: '192.0.2.1' }),
    ],
  ];
  for (const [title, choose, reason, env = () => ({})] of refusals) {
    itTogether(`rejects ${title} in one line of the log, with the fix and without a stack`, () =>
      withApi(new ApiProcess({ config: choose(), env: env() }), async (api) => {
        expect(await api.exited).toEqual({ code: 1, signal: null });
        const refused = api.lines.filter(({ level }) => level === 'fatal');
        expect(refused).toEqual([
          expect.objectContaining({ event: 'start.refused', reason: expect.stringMatching(reason) }),
        ]);
        expect(refused[0]?.['reason']).toMatch(/expected .*\n {2}\S/s);
        const all = JSON.stringify(api.lines);
        for (const leak of [WRONG, PASSWORD, '    at ']) expect(all).not.toContain(leak);
      }),
    );
  }

  itTogether('reports the error in plain lines if the log is pretty', () => {
    const env = { LOG_FORMAT: 'pretty' };
    return withApi(new ApiProcess({ config: without({ password: new Secret(WRONG) }), env }), async (api) => {
      expect((await api.exited).code).toBe(1);
      expect(api.lines.map(({ line }) => line).slice(-2)).toEqual([
        `DATABASE_URL: 127.0.0.1:${cluster.port} rejects the password of "airlock_app"; expected its current password`,
        '  airlock db provision   # creates roles and database from the configuration',
      ]);
    });
  });
});

function createConfig(port: number): Config {
  const url = (user: string, password: string) => `postgres://${user}:${password}@127.0.0.1:${port}/airlock_test`;
  return loadConfig({
    env: {
      ENVIRONMENT: 'testing',
      DATABASE_URL: url('airlock_app', PASSWORD),
      DATABASE_MIGRATION_URL: url('airlock_migrator', 'k3Rt9sWb64HnQy1j'),
    },
    cwd: '/',
  });
}
