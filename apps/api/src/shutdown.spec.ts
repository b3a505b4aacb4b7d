import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { useTestDatabase } from '@airlock/database/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from './testing/api-process.fixture.js';
import { TestIssuer } from './testing/test-issuer.fixture.js';

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child'];
const mayUnshare = spawnSync(UNSHARE[0] ?? '', [...UNSHARE.slice(1), 'true']).status === 0;
const BUDGET = { SHUTDOWN_DRAIN: '1s', SHUTDOWN_REQUESTS: '20s', SHUTDOWN_TEARDOWN: '2s', SHUTDOWN_GRACE: '28s' };
const PATIENT = { REQUEST_TIMEOUT: '19s', DATABASE_LOCK_TIMEOUT: '18s', DATABASE_STATEMENT_TIMEOUT: '18s' };

jest.setTimeout(60_000);

describe('shutdown', () => {
  const database = useTestDatabase({ isolation: 'delete' });
  let issuer: TestIssuer;
  let api: ApiProcess | undefined;

  beforeAll(async () => void (issuer = await TestIssuer.start()));
  afterAll(() => issuer.stop());
  afterEach(() => api?.stop());

  const start = (env: Record<string, string>, wrapper?: readonly string[]) =>
    ApiProcess.start({ config: { ...database.config, auth: issuer.auth }, env, ...(wrapper && { wrapper }) });

  const cases = [
    { title: 'as usual', heldMs: 10_000, wrapper: [], isPossible: true },
    { title: 'as PID 1', heldMs: 2_000, wrapper: UNSHARE, isPossible: mayUnshare },
    { title: 'with two workers', heldMs: 2_000, wrapper: [], isPossible: true, env: { WORKERS: '2' } },
  ];
  for (const { title, heldMs, wrapper, isPossible, env = {} } of cases) {
    (isPossible ? it : it.skip)(`answers a request of ${heldMs} ms and leaves nothing, ${title}`, async () => {
      api = await start({ ...BUDGET, ...PATIENT, ...env }, wrapper);
      const { port } = new URL(api.url);
      const token = await issuer.sign();
      const created = await fetch(`${api.url}/api/v1/entities`, send('POST', token, { name: 'slow' }));
      const { id } = (await created.json()) as { id: string };
      const admin = await database.admin();
      await admin.query('BEGIN');
      await admin.query('SELECT FROM entities WHERE id = $1 FOR UPDATE', [id]);

      const slow = fetch(`${api.url}/api/v1/entities/${id}`, send('PATCH', token, { name: 'changed' }));
      const idle = await openIdle(Number(port));
      const mute = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      const muteClosed = new Promise((resolve) => mute.once('close', resolve));
      await sleep(300);
      const startedAt = performance.now();
      api.signal('SIGTERM');
      await api.waitFor('shutdown.draining');
      api.signal('SIGTERM');
      const ready = await fetch(`${api.url}/readyz`);
      expect([ready.status, await ready.json(), ready.headers.get('connection')]).toEqual([
        503,
        { status: 'draining' },
        'close',
      ]);
      expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
      await sleep(heldMs);
      await admin.query('COMMIT');

      const answer = await slow;
      expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
      expect(await api.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - startedAt).toBeLessThan(heldMs + 10_000);
      await Promise.all([muteClosed, idle.closed]);
      const left = await database.query(
        `SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'airlock-api/testing/api%'`,
        [database.name],
      );
      expect(left).toHaveLength(0);
    });
  }

  it.each([
    ['uncaughtException', `throw new Error('nobody caught')`],
    ['unhandledRejection', `void Promise.reject(new Error('nobody caught'))`],
    ['unhandledRejection', `void Promise.reject(undefined)`],
  ])('answers what is in flight and exits 1 after an %s by %s', async (reason, statement) => {
    const script = `process.on('SIGUSR2', () => { ${statement}; });`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(script)}`;
    api = await start({ ...BUDGET, ...PATIENT, NODE_OPTIONS });
    const token = await issuer.sign();
    const created = await fetch(`${api.url}/api/v1/entities`, send('POST', token, { name: 'slow' }));
    const { id } = (await created.json()) as { id: string };
    const admin = await database.admin();
    await admin.query('BEGIN');
    await admin.query('SELECT FROM entities WHERE id = $1 FOR UPDATE', [id]);
    const slow = fetch(`${api.url}/api/v1/entities/${id}`, send('PATCH', token, { name: 'changed' }));
    await sleep(300);
    api.signal('SIGUSR2');
    await api.waitFor('shutdown.draining');
    await admin.query('COMMIT');
    expect((await slow).status).toBe(200);
    expect(await api.exited).toEqual({ code: 1, signal: null });
    expect(api.lines.find(({ event }) => event === 'shutdown.draining')).toMatchObject({
      level: 'error',
      reason,
      drain_ms: 0,
      error: { message: expect.stringMatching(/nobody caught|no reason given/) },
    });
  });

  it('cuts what does not end within its budget', async () => {
    api = await start({
      SHUTDOWN_DRAIN: '0s',
      SHUTDOWN_REQUESTS: '500ms',
      SHUTDOWN_TEARDOWN: '2s',
      SHUTDOWN_GRACE: '10s',
    });
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1').on('error', () => undefined);
    await new Promise<void>((resolve) => socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n', () => resolve()));
    const startedAt = performance.now();
    api.signal('SIGINT');
    expect(await api.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    socket.destroy();
  });

  it.each([
    ['a budget that does not add up', { SHUTDOWN_GRACE: '1s' }, /SHUTDOWN_GRACE/, 78],
    [
      'a database of another environment',
      { DATABASE_URL: 'postgres://a_app:b@127.0.0.1:1/nowhere_production' },
      /DATABASE_URL/,
      78,
    ],
  ])('refuses %s in a line, without a stack', async (_, env, line, code) => {
    api = await start(env);
    expect((await api.exited).code).toBe(code);
    const text = JSON.stringify(api.lines);
    expect(text).toMatch(line);
    expect(text).not.toContain('    at ');
  });
});

function send(method: string, token: string, body: object): RequestInit {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'if-match': '*' };
  return { method, headers, body: JSON.stringify(body) };
}

/** A connection that has been used and waits for its next request. */
async function openIdle(port: number): Promise<{ closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
  await new Promise((resolve) => {
    request({
      port,
      host: '127.0.0.1',
      path: '/healthz',
      createConnection: () => socket,
      headers: { connection: 'keep-alive' },
    })
      .on('response', (response) => response.resume().on('end', resolve))
      .end();
  });
  return { closed };
}
