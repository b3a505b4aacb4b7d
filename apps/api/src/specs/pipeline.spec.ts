import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { Secret } from '@airlock/config';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const handling = new EventEmitter();

@Controller('spec')
class SpecController {
  @Get('slow')
  async slow(): Promise<object> {
    await sleep(2_000);
    return {};
  }

  @Get('held')
  async held(): Promise<object> {
    handling.emit('/api/v1/spec/held');
    await once(handling, 'go on');
    return {};
  }

  @Get('large')
  large(): object {
    handling.emit('/api/v1/spec/large');
    return { text: 'a'.repeat(64 * 1024 * 1024) };
  }

  @Get('broken')
  broken(): never {
    throw new Error('connection to 10.0.3.7 as acme failed');
  }

  @Post('echo')
  echo(): object {
    return {};
  }
}

@Module({ controllers: [SpecController] })
class SpecModule {}

const SECURITY = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
const LIMIT = 20;
const URL = '/api/v1/entities';

describe('the pipeline', () => {
  const api = useTestApi({
    imports: [{ module: SpecModule }],
    configure: (config) => ({
      ...config,
      service: { ...config.service, debug: false, withUi: false },
      http: {
        ...config.http,
        requestTimeoutMs: 1_500,
        corsOrigins: ['https://app.example.com'],
        trustedProxyHops: 1,
        rateLimitPerUser: LIMIT,
      },
    }),
  });
  let users = 0;
  const somebody = () => `pipeline_${(users += 1)}`;

  it('keeps the ids of the caller and returns them', async () => {
    const headers = { 'x-request-id': 'request-1234', 'x-correlation-id': 'journey-1234' };
    const response = await api.request({ as: somebody(), url: URL, headers });
    expect(response.headers).toMatchObject(headers);
  });

  it('creates new ids if those of the caller could break a log line', async () => {
    const response = await api.request({
      as: somebody(),
      url: URL,
      headers: { 'x-request-id': 'a"b', 'x-correlation-id': 'short' },
    });
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers['x-correlation-id']).toBe(response.headers['x-request-id']);
  });

  it('logs one line for a request, with these fields and no query', async () => {
    const user = somebody();
    await api.request({ as: user, url: `${URL}?name=secret-name`, headers: { 'x-request-id': 'request-1234' } });
    expect(api.lines).toHaveLength(1);
    expect(api.lines[0]).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'info',
      event: 'request',
      service: 'airlock-api',
      version: '0.1.0',
      environment: 'testing',
      request_id: 'request-1234',
      correlation_id: 'request-1234',
      method: 'GET',
      path: URL,
      route: URL,
      status_code: 200,
      duration_ms: expect.any(Number),
      user,
    });
    expect(JSON.stringify(api.lines)).not.toContain('secret-name');
  });

  it.each(['/healthz', '/readyz', '/startupz', '/version'])(
    'does not log %s, and requires no token for it',
    async (url) => {
      expect((await api.request({ url })).statusCode).toBe(200);
      expect((await api.request({ url, method: 'HEAD' })).body).toBe('');
      expect((await api.request({ url })).headers['cache-control']).toBe('no-store');
      expect(api.lines).toEqual([]);
    },
  );

  it('hides an unexpected error, and logs it with the request id', async () => {
    const response = await api.request({
      as: somebody(),
      url: '/api/v1/spec/broken',
      headers: { 'x-request-id': 'request-1234' },
    });
    expect(response.json()).toEqual({
      type: 'urn:airlock:problem:internal-error',
      title: 'Internal error',
      status: 500,
      code: 'internal-error',
      instance: 'urn:airlock:request:request-1234',
    });
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(api.lines.find(({ event }) => event === 'request.failed')).toMatchObject({
      request_id: 'request-1234',
      error: { message: 'connection to 10.0.3.7 as acme failed' },
    });
  });

  it.each([
    ['before its response', '/api/v1/spec/held', 499],
    ['in the middle of its response', '/api/v1/spec/large', 200],
  ])('logs one line for a request whose client left %s', async (_, url, status) => {
    const user = somebody();
    const authorization = `Bearer ${await api.issuer.sign({ sub: user })}`;
    const handled = once(handling, url);
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${url} HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\n\r\n`);
    await handled;
    if (status === 200) await once(socket, 'readable');
    socket.destroy();
    while (api.lines.length === 0) await sleep(5);
    handling.emit('go on');
    // Its handler has ended, and the next request is served.
    await api.request({ as: somebody(), url: URL });
    expect(api.lines).toMatchObject([
      { event: 'request', path: url, status_code: status, user },
      { event: 'request', path: URL, status_code: 200 },
    ]);
  });

  it('ends a request at the time limit', async () => {
    const response = await api.request({ as: somebody(), url: '/api/v1/spec/slow' });
    expect(response.json()).toMatchObject({ status: 503, code: 'request-timeout' });
    await sleep(700);
  });

  it('sends the security headers with every response', async () => {
    for (const url of [URL, '/healthz', '/nowhere', '/%ff']) {
      expect((await api.request({ url })).headers).toMatchObject(SECURITY);
    }
    const answer = await raw('HELLO\r\n\r\n');
    for (const [name, value] of Object.entries(SECURITY)) expect(answer).toContain(`\r\n${name}: ${value}\r\n`);
  });

  it('trusts the configured number of proxies, and no further entry of the header', async () => {
    const remaining = async (forwarded: string) => {
      const response = await api.request({ url: URL, headers: { 'x-forwarded-for': forwarded } });
      return Number(/r=(\d+)/.exec(String(response.headers['ratelimit']))?.[1]);
    };
    const before = await remaining('203.0.113.7');
    expect(await remaining('198.51.100.1, 203.0.113.7')).toBe(before - 1);
    expect(await remaining('203.0.113.7, 203.0.113.8')).toBe(before);
  });

  it.each([
    ['https://app.example.com', 'https://app.example.com'],
    ['https://evil.example.com', undefined],
    ['null', undefined],
  ])('responds to a preflight of %s with the origin %s', async (origin, allowed) => {
    const response = await api.request({
      method: 'OPTIONS',
      url: URL,
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(response.headers['access-control-allow-origin']).toBe(allowed);
  });

  it('lists the methods of an address for an unsupported one', async () => {
    const response = await api.request({ as: somebody(), method: 'PUT', url: URL });
    expect([response.statusCode, response.headers['allow']]).toEqual([405, 'GET, HEAD, POST']);
  });

  it.each([
    ['not JSON', { payload: '{', headers: { 'content-type': 'application/json' } }, 'malformed-request'],
    [
      'not JSON by its type',
      { payload: '<a/>', headers: { 'content-type': 'application/xml' } },
      'unsupported-media-type',
    ],
    [
      'a form',
      { payload: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'unsupported-media-type',
    ],
    [
      'not UTF-8',
      { payload: Buffer.from([0x22, 0xff, 0xfe, 0x22]), headers: { 'content-type': 'application/json' } },
      'malformed-request',
    ],
    [
      'UTF-16',
      { payload: Buffer.from('\ufeff{}', 'utf16le'), headers: { 'content-type': 'application/json' } },
      'malformed-request',
    ],
    [
      'a number that is too large',
      { payload: '{"name":"a","attributes":{"a":1e999}}', headers: { 'content-type': 'application/json' } },
      'validation-failed',
    ],
    ['too large', { payload: { name: 'x'.repeat(300_000) } }, 'body-too-large'],
    ['missing', {}, 'validation-failed'],
  ])('refuses a body that is %s', async (_, request, code) => {
    const response = await api.request({ as: somebody(), method: 'POST', url: URL, ...request });
    expect(response.json()).toMatchObject({ code });
  });

  it.each(['/api/v1/entities/%zz', '/api/v1/entities/%ff'])('refuses the address %s, and logs it', async (url) => {
    const response = await api.request({ as: somebody(), url: `${url}?name=typed` });
    expect(response.json()).toMatchObject({ code: 'malformed-request' });
    expect(api.lines).toEqual([
      expect.objectContaining({
        event: 'request',
        request_id: response.headers['x-request-id'],
        path: url,
        status_code: 400,
      }),
    ]);
  });

  it('limits each user, and reports the remaining requests', async () => {
    const user = somebody();
    const first = await api.request({ as: user, url: URL });
    expect(first.headers).toMatchObject({
      'ratelimit-policy': `"user";q=${LIMIT};w=60`,
      ratelimit: expect.stringMatching(new RegExp(`^"user";r=${LIMIT - 1};t=\\d+$`)),
    });
    const rest = await Promise.all(Array.from({ length: LIMIT }, () => api.request({ as: user, url: URL })));
    const refused = rest.filter(({ statusCode }) => statusCode === 429);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.json()).toMatchObject({ code: 'rate-limited' });
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await api.request({ as: somebody(), url: URL })).statusCode).toBe(200);
  });

  it('refuses a second Authorization header', async () => {
    const authorization = `Bearer ${await api.issuer.sign()}`;
    const text = await raw(
      `GET ${URL} HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 401 [\s\S]*"code":"unauthenticated"/);
  });

  it.each([
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      'headers-too-large',
    ],
    ['invalid HTTP', 'HELLO\r\n\r\n', 'malformed-request'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      'malformed-request',
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      'malformed-request',
    ],
  ])('responds to %s with a problem', async (_, request, code) => {
    expect(await raw(request)).toContain(`"code":"${code}"`);
  });

  it('logs no secret and no header that contains one', () => {
    const canary = 'canary-5f8cff11';
    const { logger } = api;
    logger.warn(
      { authorization: canary, nested: { password: canary, deeper: { token: canary } }, secret: new Secret(canary) },
      canary.slice(0, 6),
    );
    expect(JSON.stringify(api.lines)).not.toContain(canary);
  });

  let port = 0;
  beforeAll(async () => {
    await api.app.nest.listen({ host: '127.0.0.1', port: 0 });
    port = Number(new globalThis.URL(await api.app.nest.getUrl()).port);
  });

  async function raw(request: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.end(request);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  }
});
