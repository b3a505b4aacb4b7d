import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { skipUnless } from '@airlock/config/testing';
import { type TestDatabase, withTestDatabase } from '@airlock/database-dev/testing';
import { startKeptAlive, TestIssuer, useTogether } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child'];
const mayUnshare = spawnSync(UNSHARE[0] ?? '', [...UNSHARE.slice(1), 'true']).status === 0;
const BUDGET = { SHUTDOWN_DRAIN: '1s', SHUTDOWN_REQUESTS: '20s', SHUTDOWN_TEARDOWN: '2s', SHUTDOWN_GRACE: '28s' };
const PATIENT = { REQUEST_TIMEOUT: '19s', DATABASE_LOCK_TIMEOUT: '18s', DATABASE_STATEMENT_TIMEOUT: '18s' };

jest.setTimeout(60_000);

interface Case {
  readonly title: string;
  readonly heldMs: number;
  readonly signal?: NodeJS.Signals;
  readonly wrapper?: readonly string[];
  readonly isPossible?: boolean;
  readonly workers?: number;
}

describe('shutdown', () => {
  const itTogether = useTogether({ limit: 4 });
  let issuer: TestIssuer;

  beforeAll(async () => void (issuer = await TestIssuer.start()));
  afterAll(() => issuer.stop());

  /** A process and a database for one case, so that the remaining sessions can be counted. */
  const withApi = (
    { env, wrapper = [] }: { env: Record<string, string>; wrapper?: readonly string[] },
    use: (api: ApiProcess, database: TestDatabase) => Promise<void>,
  ) =>
    withTestDatabase(async (database) => {
      const api = await ApiProcess.start({ config: { ...database.config, auth: issuer.auth }, env, wrapper });
      try {
        await use(api, database);
      } finally {
        await api.stop();
      }
    });

  /**
   * A request that waits for a locked row. On a busy machine the API may reject requests for a while, so it is repeated
   * until it is accepted.
   */
  const askSlowly = async ({ url }: ApiProcess, database: TestDatabase) => {
    const token = await issuer.sign();
    const entities = `${url}/api/v1/entities`;
    let created = await fetch(entities, send('POST', token, { name: 'slow' }));
    while (created.status === 503) created = await fetch(entities, send('POST', token, { name: 'slow' }));
    const { id } = (await created.json()) as { id: string };
    const admin = await database.admin();
    await admin.query('BEGIN');
    await admin.query('SELECT FROM entities WHERE id = $1 FOR UPDATE', [id]);
    for (;;) {
      const slow = fetch(`${entities}/${id}`, send('PATCH', token, { name: 'changed' }));
      // The test that awaits it reports its failure.
      const answered = slow.then(({ status }) => status).catch(() => undefined);
      if (await waitsForLock(database, answered)) return { slow, unlock: () => admin.query('COMMIT') };
      expect(await answered).toBe(503);
    }
  };

  const cases: Case[] = [
    { title: 'as usual', heldMs: 10_000 },
    { title: 'as PID 1', heldMs: 2_000, wrapper: UNSHARE, isPossible: mayUnshare },
    { title: 'with two workers', heldMs: 2_000, workers: 2 },
    { title: 'after SIGHUP', heldMs: 2_000, signal: 'SIGHUP' },
    { title: 'after SIGHUP with two workers', heldMs: 2_000, signal: 'SIGHUP', workers: 2 },
  ];
  for (const { title, heldMs, signal = 'SIGTERM', wrapper = [], isPossible = true, workers = 1 } of cases) {
    const test = isPossible ? itTogether : skipUnless(false, it, 'no pid namespaces');
    test(`answers a request of ${heldMs} ms and all of busy clients, and leaves nothing, ${title}`, () =>
      withApi({ env: { ...BUDGET, ...PATIENT, WORKERS: String(workers) }, wrapper }, async (api, database) => {
        while (api.lines.filter(({ event }) => event === 'listening').length < workers) await sleep(20);
        const { port } = new URL(api.url);
        const authorization = `Bearer ${await issuer.sign()}`;
        const { slow, unlock } = await askSlowly(api, database);
        const busy = await startKeptAlive(`${api.url}/api/v1/entities`, { authorization });
        const idle = await openIdle(Number(port));
        const mute = connect(Number(port), '127.0.0.1').on('error', () => undefined);
        const muteClosed = new Promise((resolve) => mute.once('close', resolve));
        await sleep(300);
        const startedAt = performance.now();
        api.signal(signal);
        await Promise.race([api.waitFor('shutdown.draining'), api.exited]);
        api.signal(signal);
        const ready = await fetch(`${api.url}/readyz`);
        expect([ready.status, await ready.json(), ready.headers.get('connection')]).toEqual([
          503,
          { status: 'draining' },
          'close',
        ]);
        expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
        expect(await busy.ended).toEqual({ statuses: [200], errors: [] });
        await sleep(heldMs);
        await unlock();

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
      }));
  }

  const uncaught = [
    ['uncaughtException', `throw new Error('uncaught')`],
    ['unhandledRejection', `void Promise.reject(new Error('uncaught'))`],
    ['unhandledRejection', `void Promise.reject(undefined)`],
  ] as const;
  for (const [reason, statement] of uncaught) {
    const script = `process.on('SIGUSR2', () => { ${statement}; });`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(script)}`;
    itTogether(`completes the requests in flight and exits with 1 after an ${reason} by ${statement}`, () =>
      withApi({ env: { ...BUDGET, ...PATIENT, NODE_OPTIONS } }, async (api, database) => {
        const { slow, unlock } = await askSlowly(api, database);
        api.signal('SIGUSR2');
        await Promise.race([api.waitFor('shutdown.draining'), api.exited]);
        await unlock();
        expect((await slow).status).toBe(200);
        expect(await api.exited).toEqual({ code: 1, signal: null });
        expect(api.lines.find(({ event }) => event === 'shutdown.draining')).toMatchObject({
          level: 'error',
          reason,
          drain_ms: 0,
          error: { message: expect.stringMatching(/uncaught|no reason given/) },
        });
      }),
    );
  }

  const HASTY = { SHUTDOWN_DRAIN: '0s', SHUTDOWN_REQUESTS: '500ms', SHUTDOWN_TEARDOWN: '2s', SHUTDOWN_GRACE: '10s' };
  itTogether('destroys connections that do not end within the budget', () =>
    withApi({ env: HASTY }, async (api) => {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1').on('error', () => undefined);
      await new Promise<void>((resolve) => socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n', () => resolve()));
      const startedAt = performance.now();
      api.signal('SIGINT');
      expect(await api.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      socket.destroy();
    }),
  );

  const refused: [string, Record<string, string>, RegExp][] = [
    ['a budget that exceeds the grace period', { SHUTDOWN_GRACE: '1s' }, /SHUTDOWN_GRACE/],
    [
      'a database of another environment',
      { DATABASE_URL: 'postgres://a_app:b@127.0.0.1:1/nowhere_production' },
      /DATABASE_URL/,
    ],
  ];
  for (const [title, env, line] of refused) {
    itTogether(`rejects ${title} in one line, without a stack`, () =>
      withApi({ env }, async (api) => {
        expect((await api.exited).code).toBe(78);
        const text = JSON.stringify(api.lines);
        expect(text).toMatch(line);
        expect(text).not.toContain('    at ');
      }),
    );
  }
});

function send(method: string, token: string, body: object): RequestInit {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'if-match': '*' };
  return { method, headers, body: JSON.stringify(body) };
}

/** True when the request waits for the row; false if it got a response without waiting. */
async function waitsForLock(database: TestDatabase, answered: Promise<unknown>): Promise<boolean> {
  const isAnswered = answered.then(() => true);
  for (;;) {
    const waiting = await database.query(
      `SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`,
      [database.name],
    );
    if (waiting.length > 0) return true;
    if (await Promise.race([isAnswered, sleep(20, false)])) return false;
  }
}

/** A used connection that is idle. */
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
