import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { withClient } from '@airlock/database';
import { migrate, provision } from '@airlock/database/operations';
import { model } from '@airlock/model';
import { type Cluster, startCluster } from '@airlock/embedded-postgres';
import { findFreePort } from '@airlock/config/testing';
import { TestIssuer, useTogether } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';

jest.setTimeout(120_000);

const CANARIES = {
  app: 'cAnArYaPp7d2Vxq8Lk',
  migration: 'cAnArYmIgR4t9bWs6Hn',
  admin: 'cAnArYaDmIn3z8Rk1Vp',
  redis: 'cAnArYrEdIs5x7Nc2Gd',
  key: 'cAnArYkEy0f9e8d7c6b5a4938271605f4e3d2c1b0a',
  sentry: 'cAnArYsEnTrY8e6d4c2b',
  other: 'cAnArYoThEr6y4Jm9Tf',
};
const PATHS = ['/healthz', '/readyz', '/startupz', '/version', '/api/v1/openapi.json', '/api/v1/docs', '/nowhere'];
const PATIENCE_MS = 20_000;

describe('a secret of the API', () => {
  const itTogether = useTogether({ timeoutMs: 120_000 });
  let folder: string;
  let cluster: Cluster;
  let config: Config;
  let issuer: TestIssuer;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = mkdtempSync('/dev/shm/canary-');
    issuer = await TestIssuer.start();
    cluster = await startCluster({ dataDir: join(folder, 'data'), durable: false, keepFolder: true });
    const url = (user: string, password: string) =>
      `postgres://${user}:${password}@127.0.0.1:${cluster.port}/airlock_test`;
    env = {
      DATABASE_MIGRATION_URL: url('airlock_migrator', CANARIES.migration),
      DATABASE_ADMIN_URL: url('postgres', CANARIES.admin),
      REDIS_URL: `redis://:${CANARIES.redis}@127.0.0.1:1/0`,
      SECRET_KEY: CANARIES.key,
      SENTRY_DSN: `https://${CANARIES.sentry}@127.0.0.1:1/1`,
      LOG_LEVEL: 'trace',
      DB_ECHO: 'true',
      WITH_UI: 'true',
    };
    const DATABASE_URL = url('airlock_app', CANARIES.app);
    config = { ...loadConfig({ env: { ENVIRONMENT: 'testing', DATABASE_URL, ...env }, cwd: '/' }), auth: issuer.auth };
    const { app, migration } = config.database;
    if (!migration) throw new Error('no migrator');
    await provision({ admin: cluster.superuser, app, migration, environment: 'testing' });
    await migrate({ config, ...model });
  });
  afterAll(async () => {
    await issuer.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const expectUnseen = (shown: readonly string[]) => {
    for (const [name, canary] of Object.entries(CANARIES)) {
      expect([name, shown.filter((text) => text.includes(canary))]).toEqual([name, []]);
    }
  };

  itTogether(
    'is in no response, no log line and no output at exit, also after the database changed its password',
    async () => {
      const management = await findFreePort();
      const api = await ApiProcess.start({ config, env: { ...env, MANAGEMENT_PORT: String(management) } });
      const shown: string[] = [];
      const ask = async (url: string, init?: RequestInit): Promise<number> => {
        const response = await fetch(url, init);
        shown.push(JSON.stringify([...response.headers]), await response.text());
        return response.status;
      };
      const askAll = async () => {
        for (const path of PATHS) await ask(`${api.url}${path}`);
        for (const path of ['/metrics', '/health']) await ask(`http://127.0.0.1:${management}${path}`);
        const authorization = `Bearer ${await issuer.sign()}`;
        const headers = { authorization, 'content-type': 'application/json' };
        await ask(`${api.url}/api/v1/entities`);
        await ask(`${api.url}/api/v1/entities`, { method: 'POST', headers, body: '{"name":' });
        return ask(`${api.url}/api/v1/entities`, { headers });
      };
      expect(await askAll()).toBe(200);
      await withClient(cluster.superuser, { config, purpose: 'test' }, async (client) => {
        await client.query(`ALTER ROLE airlock_app PASSWORD '${CANARIES.other}'`);
        await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'airlock_app'`);
      });
      const deadline = performance.now() + PATIENCE_MS;
      while ((await ask(`${api.url}/readyz`)) !== 503 && performance.now() < deadline) await sleep(200);
      expect(await ask(`${api.url}/readyz`)).toBe(503);
      expect(await askAll()).toBeGreaterThanOrEqual(500);
      api.signal('SIGTERM');
      expect((await api.exited).code).toBe(0);
      shown.push(JSON.stringify(api.lines));
      expect(api.lines.length).toBeGreaterThan(PATHS.length);
      expectUnseen(shown);
    },
  );

  for (const format of ['json', 'pretty']) {
    itTogether(`is not in the output of a start with a wrong password, in ${format}`, async () => {
      const { database } = config;
      const wrong = {
        ...config,
        database: { ...database, app: { ...database.app, password: new Secret(`${CANARIES.app}x`) } },
      };
      const api = new ApiProcess({ config: wrong, env: { ...env, LOG_FORMAT: format, DEBUG: 'true' } });
      expect((await api.exited).code).toBe(1);
      const shown = JSON.stringify(api.lines);
      expect(shown).toContain('rejects the password');
      expectUnseen([shown]);
    });
  }
});
