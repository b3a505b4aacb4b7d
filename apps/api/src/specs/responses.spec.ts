import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

jest.setTimeout(60_000);

const URL = '/api/v1/entities';
const JSON_TYPE = 'content-type: application/json';
const BIG = 300_000;

interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The lines of a request, with `host: a`. `bare` leaves the host out. */
const ask = (line: string, ...headers: string[]) => [line, 'host: a', ...headers, '', ''].join('\r\n');
const bare = (line: string, ...headers: string[]) => [line, ...headers, '', ''].join('\r\n');

describe.each([
  ['without CORS', [] as string[]],
  ['with CORS', ['https://app.example.com']],
])('every response of the server, %s,', (_, corsOrigins) => {
  const api = useTestApi({
    configure: (config) => ({
      ...config,
      service: { ...config.service, debug: false },
      http: { ...config.http, corsOrigins, requestTimeoutMs: 5_000 },
    }),
  });
  let port = 0;
  let token = '';
  beforeAll(async () => {
    await api.app.nest.listen({ host: '127.0.0.1', port: 0 });
    port = Number(new globalThis.URL(await api.app.nest.getUrl()).port);
    token = `authorization: Bearer ${await api.issuer.sign()}`;
  });

  /** Sends bytes and reads up to `count` responses, or all responses until the other side closes. */
  async function exchange(bytes: string, count = 1): Promise<RawResponse[]> {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(bytes);
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (parseResponses(text, bytes.startsWith('HEAD ')).length >= count) break;
    }
    return parseResponses(text, bytes.startsWith('HEAD '));
  }

  it.each<[string, () => string, number, string]>([
    ['an address that does not exist', () => ask('GET /nowhere HTTP/1.1'), 404, 'not-found'],
    ['the root', () => ask('GET / HTTP/1.1'), 404, 'not-found'],
    ['a slash at the end', () => ask(`GET ${URL}/ HTTP/1.1`, token), 404, 'not-found'],
    ['a slash at the end, to change', () => ask(`PATCH ${URL}/ HTTP/1.1`, token), 404, 'not-found'],
    ['a slash at the end of a record', () => ask(`GET ${URL}/a/ HTTP/1.1`, token), 404, 'not-found'],
    ['two slashes', () => ask('GET /api/v1//entities HTTP/1.1', token), 404, 'not-found'],
    ['two slashes at the start', () => ask(`GET /${URL} HTTP/1.1`, token), 404, 'not-found'],
    ['two slashes at the end', () => ask(`GET ${URL}// HTTP/1.1`, token), 404, 'not-found'],
    ['a method that the address lacks', () => ask(`PUT ${URL} HTTP/1.1`, token), 405, 'method-not-allowed'],
    ['TRACE', () => ask(`TRACE ${URL} HTTP/1.1`), 405, 'method-not-allowed'],
    ['TRACE of nothing', () => ask('TRACE /nowhere HTTP/1.1'), 404, 'not-found'],
    ['PROPFIND', () => ask(`PROPFIND ${URL} HTTP/1.1`), 405, 'method-not-allowed'],
    ['QUERY', () => ask(`QUERY ${URL} HTTP/1.1`), 405, 'method-not-allowed'],
    ['CONNECT', () => ask('CONNECT example.com:443 HTTP/1.1'), 405, 'method-not-allowed'],
    ['CONNECT to a port', () => ask('CONNECT :1 HTTP/1.1'), 405, 'method-not-allowed'],
    ['OPTIONS without the headers of a preflight', () => ask(`OPTIONS ${URL} HTTP/1.1`), 405, 'method-not-allowed'],
    [
      'OPTIONS with an origin alone',
      () => ask(`OPTIONS ${URL} HTTP/1.1`, 'origin: https://app.example.com'),
      405,
      'method-not-allowed',
    ],
    ['OPTIONS of nothing', () => ask('OPTIONS /nowhere HTTP/1.1'), 404, 'not-found'],
    ['OPTIONS *', () => ask('OPTIONS * HTTP/1.1'), 404, 'not-found'],
    ['GET *', () => ask('GET * HTTP/1.1'), 404, 'not-found'],
    ['no Host', () => bare(`GET ${URL} HTTP/1.1`, token), 400, 'malformed-request'],
    ['no Host, of a probe', () => bare('GET /healthz HTTP/1.1'), 400, 'malformed-request'],
    ['two Hosts', () => ask(`GET ${URL} HTTP/1.1`, 'host: b'), 400, 'malformed-request'],
    ['two equal Hosts', () => ask(`GET ${URL} HTTP/1.1`, 'Host: a'), 400, 'malformed-request'],
    ['a Host with a path', () => bare(`GET ${URL} HTTP/1.1`, 'host: a/b'), 400, 'malformed-request'],
    ['a Host with a user', () => bare(`GET ${URL} HTTP/1.1`, 'host: a@b'), 400, 'malformed-request'],
    [
      'an unknown expectation',
      () => ask(`GET ${URL} HTTP/1.1`, token, 'expect: everything'),
      417,
      'expectation-failed',
    ],
    [
      'an unknown expectation of nothing',
      () => ask('GET /nowhere HTTP/1.1', 'expect: 200-ok'),
      417,
      'expectation-failed',
    ],
    ['a path that cannot be decoded', () => ask(`GET ${URL}/%zz HTTP/1.1`, token), 400, 'malformed-request'],
    ['a path that is not UTF-8', () => ask(`GET ${URL}/%ff HTTP/1.1`, token), 400, 'malformed-request'],
    ['a query that cannot be decoded', () => ask(`GET ${URL}?name=%zz HTTP/1.1`, token), 400, 'malformed-request'],
    ['a query that is not UTF-8', () => ask(`GET ${URL}?name=%ff HTTP/1.1`, token), 400, 'malformed-request'],
    [
      'a query with half of a surrogate pair',
      () => ask(`GET ${URL}?name=%ed%a0%80 HTTP/1.1`, token),
      400,
      'malformed-request',
    ],
    ['a line that is not HTTP', () => 'HELLO\r\n\r\n', 400, 'malformed-request'],
    ['a method that does not exist', () => ask(`HACK ${URL} HTTP/1.1`), 400, 'malformed-request'],
    ['HTTP/9.9', () => ask(`GET ${URL} HTTP/9.9`), 400, 'malformed-request'],
    [
      'headers that are too large',
      () => ask(`GET ${URL} HTTP/1.1`, `x: ${'a'.repeat(20_000)}`),
      431,
      'headers-too-large',
    ],
    ['an address that is too long', () => ask(`GET /${'a'.repeat(20_000)} HTTP/1.1`), 431, 'headers-too-large'],
    [
      'a length and chunks',
      () => ask(`POST ${URL} HTTP/1.1`, 'content-length: 1', 'transfer-encoding: chunked'),
      400,
      'malformed-request',
    ],
    [
      'chunks within another coding',
      () => ask(`POST ${URL} HTTP/1.1`, token, 'transfer-encoding: gzip, chunked') + '0\r\n\r\n',
      400,
      'malformed-request',
    ],
    [
      'a chunk of another length',
      () => ask(`POST ${URL} HTTP/1.1`, token, JSON_TYPE, 'transfer-encoding: chunked') + '2\r\n{"name"\r\n',
      400,
      'malformed-request',
    ],
    [
      'endless extensions of a chunk',
      () =>
        ask(`POST ${URL} HTTP/1.1`, token, JSON_TYPE, 'transfer-encoding: chunked') +
        `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
      413,
      'body-too-large',
    ],
    ['no token', () => ask(`GET ${URL} HTTP/1.1`), 401, 'unauthenticated'],
    ['no token, of HTTP/1.0', () => bare(`GET ${URL} HTTP/1.0`), 401, 'unauthenticated'],
    [
      'two content types',
      () => withBody('{}', token, JSON_TYPE, 'content-type: text/plain'),
      415,
      'unsupported-media-type',
    ],
    ['no content type', () => withBody('{}', token), 415, 'unsupported-media-type'],
    ['an invalid content type', () => withBody('{}', token, 'content-type: json'), 415, 'unsupported-media-type'],
    ['gzip', () => withBody('{}', token, JSON_TYPE, 'content-encoding: gzip'), 415, 'unsupported-media-type'],
    ['identity', () => withBody('{}', token, JSON_TYPE, 'content-encoding: identity'), 415, 'unsupported-media-type'],
    [
      'an unknown encoding',
      () => withBody('{}', token, JSON_TYPE, 'content-encoding: x'),
      415,
      'unsupported-media-type',
    ],
    [
      'a list of encodings',
      () => withBody('{}', token, JSON_TYPE, 'content-encoding: gzip, br'),
      415,
      'unsupported-media-type',
    ],
    ['an empty encoding', () => withBody('{}', token, JSON_TYPE, 'content-encoding: '), 415, 'unsupported-media-type'],
    ['a bad body without a token', () => withBody('{', JSON_TYPE), 401, 'unauthenticated'],
    [
      'a body of another type without a token',
      () => withBody('<a/>', 'content-type: text/xml'),
      401,
      'unauthenticated',
    ],
    [
      'a compressed body without a token',
      () => withBody('{}', JSON_TYPE, 'content-encoding: gzip'),
      401,
      'unauthenticated',
    ],
    ['a body that is too large without a token', () => withBody('x'.repeat(BIG), JSON_TYPE), 401, 'unauthenticated'],
    [
      'invalid chunks without a token',
      () => ask(`POST ${URL} HTTP/1.1`, JSON_TYPE, 'transfer-encoding: chunked') + 'zz\r\n',
      401,
      'unauthenticated',
    ],
    ['a body that is too large', () => withBody('x'.repeat(BIG), token, JSON_TYPE), 413, 'body-too-large'],
    ['a bad body', () => withBody('{', token, JSON_TYPE), 400, 'malformed-request'],
    [
      'a bad body to an address that does not exist',
      () => withBody('{', JSON_TYPE).replace(URL, '/nowhere'),
      404,
      'not-found',
    ],
  ])('%s is a problem with its headers', async (__, request, status, code) => {
    const [response] = await exchange(request());
    expectProblem(response, { status, code });
    if (status === 405) expect(response?.headers).toHaveProperty('allow');
    if (status === 415) expect(response?.headers['accept-encoding'] ?? 'identity').toBe('identity');
  });

  it.each([
    ['/nowhere', 404],
    [URL, 401],
    [`${URL}/`, 404],
    [`${URL}/%zz`, 400],
    ['/healthz', 200],
    ['/api/v1/docs', 200],
  ])('HEAD of %s has the headers of GET and no body', async (path, status) => {
    const [head] = await exchange(ask(`HEAD ${path} HTTP/1.1`));
    const [get] = await exchange(ask(`GET ${path} HTTP/1.1`));
    expect([head?.status, head?.text, get?.status]).toEqual([status, '', status]);
    for (const name of ['content-type', 'x-content-type-options', 'content-length'])
      expect([name, head?.headers[name]]).toEqual([name, get?.headers[name]]);
  });

  it.each([
    ['websocket', ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-key: x', 'sec-websocket-version: 13']],
    ['h2c', ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABkAAQAAP__']],
  ])('a request to upgrade to %s is treated as an ordinary request', async (__, headers) => {
    const [response] = await exchange(ask(`GET ${URL} HTTP/1.1`, token, ...headers));
    expect(response?.status).toBe(200);
    expectProblem((await exchange(ask(`GET ${URL} HTTP/1.1`, ...headers)))[0], {
      status: 401,
      code: 'unauthenticated',
    });
  });

  it('an address in absolute form is accepted', async () => {
    expect((await exchange(ask(`GET http://a${URL} HTTP/1.1`, token)))[0]?.status).toBe(200);
  });

  it('HTTP/1.0 does not require a Host', async () => {
    expect((await exchange(bare(`GET ${URL} HTTP/1.0`, token)))[0]?.status).toBe(200);
  });

  it('a validly encoded query is accepted', async () => {
    expect((await exchange(ask(`GET ${URL}?name=a%20%F0%9F%AB%96+b HTTP/1.1`, token)))[0]?.status).toBe(200);
  });

  it('a connection stays open after a small rejected body', async () => {
    const next = ask(`GET ${URL} HTTP/1.1`, token, 'x-request-id: second-request', 'connection: close');
    for (const refused of [
      withBody('{', JSON_TYPE),
      withBody('{}', token, JSON_TYPE, 'content-encoding: gzip'),
      withBody('{}', token, 'content-type: text/plain'),
      withBody('{"name":1}', token, JSON_TYPE),
    ]) {
      const responses = await exchange(refused + next, Infinity);
      expect(responses.map(({ status }) => status)).toEqual([expect.any(Number), 200]);
      expect(responses[1]?.headers['x-request-id']).toBe('second-request');
    }
  });

  it.each([
    ['chunks', ['transfer-encoding: chunked']],
    ['a great length', [`content-length: ${BIG}`]],
  ])(
    'a connection is closed after a rejected body of %s, and the body is not parsed as a request',
    async (__, headers) => {
      const hidden = ask('GET /api/v1/hidden HTTP/1.1');
      const responses = await exchange(ask(`POST ${URL} HTTP/1.1`, JSON_TYPE, ...headers) + hidden, Infinity);
      expect(responses).toHaveLength(1);
      expectProblem(responses[0], { status: 401, code: 'unauthenticated' });
      expect(responses[0]?.headers['connection']).toBe('close');
    },
  );

  describe('to Expect: 100-continue', () => {
    const expecting = (path: string, ...headers: string[]) =>
      ask(`POST ${path} HTTP/1.1`, JSON_TYPE, 'content-length: 12', 'expect: 100-continue', ...headers);

    it.each<[string, () => string, number]>([
      ['without a token', () => expecting(URL), 401],
      ['with a token that is refused', () => expecting(URL, changeAt(token, -10)), 401],
      ['for an address that does not exist', () => expecting('/nowhere', token), 404],
      ['for a compressed body', () => expecting(URL, token, 'content-encoding: gzip'), 415],
      ['for a body that is too large', () => expecting(URL, token).replace('h: 12', `h: ${BIG}`), 413],
    ])('%s is an error without 100, and closes the connection', async (__, request, status) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(request());
      const text = await readAll(socket);
      expect(text).not.toContain('100 Continue');
      const [response] = parseResponses(text);
      expect([response?.status, response?.headers['connection']]).toEqual([status, 'close']);
    });

    it('is 100, then the response to the body, on a connection that stays open', async () => {
      const socket = connect(port, '127.0.0.1');
      socket.write(expecting(URL, token));
      const invitation = await readUntil(socket, '\r\n\r\n');
      expect(invitation).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      socket.write('{"name":"a"}' + ask(`GET ${URL} HTTP/1.1`, token, 'connection: close'));
      expect(parseResponses(await readAll(socket)).map(({ status }) => status)).toEqual([201, 200]);
    });
  });

  function withBody(body: string, ...headers: string[]): string {
    return ask(`POST ${URL} HTTP/1.1`, ...headers, `content-length: ${Buffer.byteLength(body)}`) + body;
  }

  function expectProblem(response: RawResponse | undefined, { status, code }: { status: number; code: string }): void {
    expect(response).toMatchObject({
      status,
      headers: {
        'content-type': 'application/problem+json; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    expect(JSON.parse(response?.text ?? '')).toMatchObject({
      type: `urn:airlock:problem:${code}`,
      status,
      code,
      instance: `urn:airlock:request:${response?.headers['x-request-id']}`,
    });
    expect(response?.text).not.toMatch(/Cannot read|undefined|node_modules| {4}at /);
  }
});

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.endsWith(end)) break;
  }
  return text;
}

function parseResponses(text: string, isHead = false): RawResponse[] {
  const responses: RawResponse[] = [];
  for (let rest = text; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const bytes = Buffer.from(rest.slice(end + 4));
    const length = isHead ? 0 : Number(headers['content-length'] ?? 0);
    if (end < 0 || bytes.length < length) break;
    responses.push({ status: Number(first.split(' ')[1]), headers, text: bytes.subarray(0, length).toString() });
    rest = bytes.subarray(length).toString();
  }
  return responses;
}

/** Replaces a character by another one. The last ones of base64 may encode only padding: do not change them. */
function changeAt(text: string, index: number): string {
  const at = text.length + index;
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}
