import { useTestDatabase } from '@airlock/database/testing';
import { Secret } from '@airlock/config';
import { describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';
import { withReceiver } from '../testing/receiver.fixture.js';
import { createErrorReports } from './error-reports.js';

jest.setTimeout(60_000);

const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const VERSION = { name: 'airlock-api', version: '0.1.0', commit: 'abcdef0', builtAt: null, digest: null };
/** Says at its end which packages the process has loaded, whichever way: a list short enough for what exit still writes. */
const LIST_MODULES = `
  import { registerHooks } from 'node:module';
  const urls = new Set();
  const note = (url) => urls.add(url.replace(/.*(node_modules\\/(@[^/]+\\/)?[^/]+\\/).*/, '$1'));
  registerHooks({ load: (url, context, next) => (note(url), next(url, context)) });
  process.on('exit', () => console.log(JSON.stringify({ event: 'modules', urls: [...urls] })));`;
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(LIST_MODULES)}`;
const OBSERVERS = /node_modules\/(@sentry\/|@opentelemetry\/(?!api\/))/;

describe('an observer', () => {
  const database = useTestDatabase();

  const run = async (env: Record<string, string>, use: (api: ApiProcess) => Promise<void>) => {
    const api = await ApiProcess.start({ config: database.config, env: { ...env, NODE_OPTIONS } });
    await use(api);
    api.signal('SIGTERM');
    expect((await api.exited).code).toBe(0);
    const { urls } = api.lines.find(({ event }) => event === 'modules') as unknown as { urls: string[] };
    return { lines: api.lines, urls };
  };

  it('is not in memory where no variable names it', async () => {
    const { urls } = await run({}, async (api) => void (await fetch(`${api.url}/readyz`)));
    expect(urls.some((url) => url.includes('node_modules/fastify/'))).toBe(true);
    expect(urls.filter((url) => OBSERVERS.test(url))).toEqual([]);
  });

  it('of traces gets a span for each request but probes, before the process has gone', () =>
    withReceiver(async (port, received) => {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
      const { urls } = await run(env, async (api) => {
        await fetch(`${api.url}/readyz`);
        const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
        const headers = { traceparent, 'x-request-id': 'request-0123456789' };
        expect((await fetch(`${api.url}/api/v1/entities/1?secret=typed`, { headers })).status).toBe(401);
      });
      expect(urls.some((url) => OBSERVERS.test(url))).toBe(true);
      const bodies = received.filter(({ path }) => path === '/v1/traces').map(({ body }) => body);
      expect(bodies).toHaveLength(1);
      const { resourceSpans } = JSON.parse(bodies[0] ?? '') as Traces;
      expect(toRecord(resourceSpans[0]?.resource.attributes)).toMatchObject({
        'service.name': 'airlock-api',
        'deployment.environment.name': 'testing',
      });
      const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans);
      expect(spans.map(({ name }) => name)).toEqual(['GET /api/v1/entities/:id']);
      expect([spans[0]?.traceId, spans[0]?.parentSpanId]).toEqual([CALLER.traceId, CALLER.spanId]);
      expect(toRecord(spans[0]?.attributes)).toMatchObject({
        'http.route': '/api/v1/entities/:id',
        'http.response.status_code': 401,
        'airlock.request_id': 'request-0123456789',
      });
      expect(bodies.join()).not.toContain('typed');
    }));

  it('that is away keeps no process from leaving', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    await run(env, async (api) => void (await fetch(`${api.url}/nowhere`)));
  });

  it('of errors gets the error with the id of its request, and no secret', () =>
    withReceiver(async (port, received) => {
      const { config } = database;
      const password = config.database.app.password.reveal();
      const reports = createErrorReports(new Secret(`http://public@127.0.0.1:${port}/1`), { config, version: VERSION });
      const error = new Error(`it broke with ${password}`);
      reports.onError?.(error, { requestId: 'request-0123456789', route: '/api/v1/entities/:id' });
      await reports.close(5_000);
      expect(received.map(({ path }) => path.replace(/\?.*/, ''))).toEqual(['/api/1/envelope/']);
      const event = JSON.parse(received[0]?.body.split('\n')[2] ?? '') as object;
      expect(event).toMatchObject({
        environment: 'testing',
        release: 'abcdef0',
        tags: { request_id: 'request-0123456789', route: '/api/v1/entities/:id', service: 'airlock-api' },
        exception: { values: [{ type: 'Error', value: 'it broke with [redacted]' }] },
      });
      expect(received[0]?.body).not.toContain(password);
    }));
});

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

function toRecord(attributes: readonly Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
