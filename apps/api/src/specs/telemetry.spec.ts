import { useTestDatabase } from '@airlock/database-dev/testing';
import {
  describeWithOwnRedis,
  readMetrics,
  readSpans,
  type Received,
  type SentSpan,
  TestIssuer,
  TestRedis,
  useTogether,
  withReceiver,
} from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, jest } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProcess } from '../testing/api-process.fixture.js';

jest.setTimeout(60_000);

const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const UNSAMPLED = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceparent = ({ traceId, spanId }: typeof CALLER, flags: string) => `00-${traceId}-${spanId}-${flags}`;

describe('telemetry', () => {
  const itTogether = useTogether({ limit: 4 });
  const database = useTestDatabase();
  let issuer: TestIssuer;
  beforeAll(async () => void (issuer = await TestIssuer.start()));
  afterAll(() => issuer.stop());

  const run = async (
    env: Record<string, string>,
    use: (api: ApiProcess) => Promise<void>,
    { auth } = issuer,
  ): Promise<ApiProcess> => {
    const api = await ApiProcess.start({ config: { ...database.config, auth }, env });
    await use(api);
    api.signal('SIGTERM');
    expect((await api.exited).code).toBe(0);
    return api;
  };
  const isCacheOpen = async () => {
    const [cache] = await database.query<{ isOpen: boolean }>('SELECT is_open AS "isOpen" FROM ops.read_cache');
    return cache?.isOpen;
  };
  const endpoint = (port: number) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  const headers = async (more: Record<string, string> = {}, by = issuer) => ({
    authorization: `Bearer ${await by.sign()}`,
    ...more,
  });

  let delivered: Promise<readonly Received[]> | undefined;
  /** The data that one process sends for a probe, a sampled request and an unsampled request. */
  const deliver = () =>
    (delivered ??= withReceiver(async (port, received) => {
      await run(endpoint(port), async (api) => {
        await fetch(`${api.url}/readyz`);
        const sampled = { traceparent: traceparent(CALLER, '01'), 'x-request-id': 'request-0123456789' };
        const refused = await fetch(`${api.url}/api/v1/entities/1?secret=typed`, { headers: sampled });
        expect(refused.status).toBe(401);
        const unsampled = await headers({ traceparent: traceparent(UNSAMPLED, '00') });
        expect((await fetch(`${api.url}/api/v1/entities`, { headers: unsampled })).status).toBe(200);
      });
      return received;
    }));

  itTogether('has a span for each request except probes, without any input of callers', async () => {
    const received = await deliver();
    const spans = readSpans(received);
    expect(spans.map(({ name }) => name)).toEqual(['GET /api/v1/entities/:id']);
    expect(spans[0]).toMatchObject({
      traceId: CALLER.traceId,
      parentSpanId: CALLER.spanId,
      resource: { 'service.name': 'airlock-api', 'deployment.environment.name': 'testing' },
      attributes: {
        'http.route': '/api/v1/entities/:id',
        'http.response.status_code': 401,
        'airlock.request_id': 'request-0123456789',
      },
    });
    expect(JSON.stringify(received)).not.toContain('typed');
  });

  itTogether('sends no span of a trace that the caller does not sample', async () => {
    const spans = readSpans(await deliver());
    expect(spans.filter(({ traceId }) => traceId !== CALLER.traceId)).toEqual([]);
  });

  itTogether('has metrics of requests, operations, the pool and the process', async () => {
    const metrics = readMetrics(await deliver());
    expect([...metrics.keys()].sort()).toEqual([
      'db.client.connection.count',
      'db.client.connection.pending_requests',
      'db.client.operation.duration',
      'http.client.request.duration',
      'http.server.request.duration',
      'nodejs.eventloop.utilization',
      'process.memory.usage',
    ]);
    expect(metrics.get('http.server.request.duration')).toEqual([
      { 'http.request.method': 'GET', 'http.route': '/api/v1/entities/:id', 'http.response.status_code': 401 },
      { 'http.request.method': 'GET', 'http.route': '/api/v1/entities', 'http.response.status_code': 200 },
    ]);
    expect(metrics.get('db.client.operation.duration')).toEqual([
      { 'db.system.name': 'postgresql', 'db.query.summary': 'entities:list:-createdAt:first' },
    ]);
  });

  const broken: [string, (response: ServerResponse) => void][] = [
    ['returns 500', (response) => response.writeHead(500).end()],
    ['never responds', () => undefined],
  ];
  for (const [title, respond] of broken) {
    itTogether(`to a receiver that ${title} affects no request, no start and no exit`, () =>
      withReceiver(
        async (port, received) => {
          const api = await run(endpoint(port), async ({ url }) => {
            expect((await fetch(`${url}/api/v1/entities`, { headers: await headers() })).status).toBe(200);
            // The span has been sent, so the receiver could now delay a request.
            while (!received.some(({ path }) => path === '/v1/traces')) await sleep(20);
            expect((await fetch(`${url}/api/v1/entities`, { headers: await headers() })).status).toBe(200);
          });
          expect(api.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
        },
        { respond },
      ),
    );
  }

  itTogether('to an unreachable receiver causes one line in the log and no other effect', async () => {
    const api = await run(endpoint(1), async ({ url, waitFor }) => {
      expect((await fetch(`${url}/api/v1/entities`, { headers: await headers() })).status).toBe(200);
      await waitFor('telemetry.unavailable');
    });
    expect(
      api.lines.filter(({ event, signal }) => event === 'telemetry.unavailable' && signal === 'traces'),
    ).toHaveLength(1);
  });

  describeWithOwnRedis('of a request', () => {
    itTogether('has a span below it for each call to the database, to Redis and over HTTP', async () => {
      // The last request to this issuer has the trace of this test's request.
      const [redis, own] = await Promise.all([TestRedis.start(), TestIssuer.start()]);
      await withReceiver(async (port, received) => {
        const env = { ...endpoint(port), REDIS_URL: redis.url.reveal() };
        const use = async ({ url }: ApiProcess) => {
          const body = JSON.stringify({ name: 'never told' });
          const more = { traceparent: traceparent(CALLER, '01'), 'content-type': 'application/json' };
          const sent = await headers(more, own);
          const created = await fetch(`${url}/api/v1/entities`, { method: 'POST', headers: sent, body });
          const { id } = (await created.json()) as { id: string };
          // The read that opens the cache is the first one to use it.
          while (!(await isCacheOpen())) {
            expect((await fetch(`${url}/api/v1/entities/${id}`, { headers: sent })).status).toBe(200);
            await sleep(100);
          }
        };
        await run(env, use, own);
        const spans = readSpans(received);
        const below = (name: string) => {
          const children = spans
            .filter((span) => span.name === name)
            .map(({ spanId }) => spans.filter(({ parentSpanId }) => parentSpanId === spanId));
          return children.toSorted((a, b) => b.length - a.length)[0]?.map(describeSpan);
        };
        expect(below('POST /api/v1/entities')).toEqual([
          ['GET', { 'http.request.method': 'GET', 'server.address': '127.0.0.1', 'http.response.status_code': 200 }],
          ['entities:create', { 'db.system.name': 'postgresql', 'db.query.summary': 'entities:create' }],
        ]);
        expect(below('GET /api/v1/entities/:id')).toEqual([
          ['GETEX', { 'db.system.name': 'redis', 'db.operation.name': 'GETEX' }],
          ['EVAL', { 'db.system.name': 'redis', 'db.operation.name': 'EVAL' }],
          ['entities:find', { 'db.system.name': 'postgresql', 'db.query.summary': 'entities:find' }],
          ['EVAL', { 'db.system.name': 'redis', 'db.operation.name': 'EVAL' }],
        ]);
        expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([CALLER.traceId]));
        const call = spans.find(({ name }) => name === 'GET');
        expect(own.lastTraceparent).toBe(`00-${CALLER.traceId}-${call?.spanId}-01`);
        expect(JSON.stringify(received)).not.toMatch(/never told|user_1/);
      }).finally(() => Promise.all([redis.stop(), own.stop()]));
    });
  });
});

function describeSpan({ name, attributes }: SentSpan): unknown[] {
  return [name, attributes];
}
