import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { findFreePort } from '@airlock/config/testing';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';

jest.setTimeout(60_000);

describe('two workers', () => {
  const database = useTestDatabase();
  let api: ApiProcess | undefined;
  afterEach(() => api?.stop());

  it('are two again after one was killed, and share the management port', async () => {
    const management = await findFreePort();
    api = await ApiProcess.start({
      config: database.config,
      env: { WORKERS: '2', MANAGEMENT_PORT: String(management) },
    });
    const { pid } = api;
    await waitUntil(() => count(api, 'listening') === 2);
    const metrics = async () => (await fetch(`http://127.0.0.1:${management}/metrics`)).text();
    // The supervisor has the metrics of a worker only after it has received its ready message.
    while (!/^app_ready 2$/m.test(await metrics())) await sleep(20);
    const [first = 0] = childrenOf(pid);
    process.kill(first, 'SIGKILL');
    await waitUntil(() => count(api, 'listening') === 3);
    expect(count(api, 'worker.died')).toBe(1);
    expect(childrenOf(pid)).toHaveLength(2);
    expect(childrenOf(pid)).not.toContain(first);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);

    const health = await fetch(`http://127.0.0.1:${management}/health`);
    expect([health.status, health.headers.get('content-type')]).toEqual([200, 'application/health+json']);
    expect(await health.json()).toMatchObject({
      status: 'pass',
      checks: { 'database:responseTime': [{ status: 'pass' }] },
    });
    expect(await metrics()).toMatch(/^app_ready 2$/m);
    expect((await fetch(`http://127.0.0.1:${management}/api/v1/entities`)).status).toBe(404);

    api.signal('SIGTERM');
    expect(await api.exited).toEqual({ code: 0, signal: null });
  });

  it('stop at once, and without an error, on a signal before they serve', async () => {
    api = new ApiProcess({ config: database.config, env: { WORKERS: '2' } });
    const { pid } = api;
    await waitUntil(() => childrenOf(pid).length === 2);
    api.signal('SIGTERM');
    expect(await api.exited).toEqual({ code: 0, signal: null });
    expect(count(api, 'listening')).toBe(0);
  });

  it('stop together if neither can start, with the exit code of the first', async () => {
    api = new ApiProcess({ config: database.config, env: { WORKERS: '2', DATABASE_URL: nobody(database.config) } });
    expect(await api.exited).toEqual({ code: 1, signal: null });
    expect(count(api, 'start.refused')).toBeGreaterThan(0);
  });
});

function nobody({ database }: { database: { app: { host: string; port: number; database: string } } }): string {
  const { host, port, database: name } = database.app;
  return `postgres://nobody_app:q7Vd2mXc81LkPz0w@${host}:${port}/${name}`;
}

function count(api: ApiProcess | undefined, event: string): number {
  return api?.lines.filter((line) => line['event'] === event).length ?? 0;
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 30_000; !isSo() && performance.now() < deadline;) await sleep(50);
  expect(isSo()).toBe(true);
}
