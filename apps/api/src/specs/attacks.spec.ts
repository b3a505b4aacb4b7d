import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { TestIssuer, useTogether } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';

jest.setTimeout(120_000);

const URL_PATH = '/api/v1/entities';
const BATCH = 250;
/** As many connections as the system allows, minus a reserve for other open files. */
const MANY = Math.min(10_000, readFileLimit() - 1_000);
const HASTY = { REQUEST_TIMEOUT: '1s', DATABASE_STATEMENT_TIMEOUT: '900ms', DATABASE_LOCK_TIMEOUT: '900ms' };

/** The tests mostly wait for slow connections, so they run concurrently. */
const itTogether = useTogether({ timeoutMs: 120_000 });
const database = useTestDatabase({ isolation: 'delete' });
let issuer: TestIssuer;
let api: ApiProcess;
let hasty: ApiProcess;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.sign();
  const config = { ...database.config, auth: issuer.auth };
  [api, hasty] = await Promise.all([ApiProcess.start({ config }), ApiProcess.start({ config, env: HASTY })]);
});
afterAll(async () => {
  await issuer.stop();
  await hasty.stop();
  api.signal('SIGTERM');
  expect(await api.exited).toEqual({ code: 0, signal: null });
  // On a busy machine the API may reject a request with 503, which is correct under overload.
  const isFault = ({ level, status_code: status }: Record<string, unknown>) =>
    (level === 'error' || level === 'fatal') && status !== 503;
  expect(api.lines.filter(isFault)).toEqual([]);
});

describe('the API, attacked over sockets,', () => {
  let port: number;
  beforeAll(() => void (port = Number(new URL(api.url).port)));

  const head = (method: string, path = URL_PATH, ...lines: string[]) =>
    [`${method} ${path} HTTP/1.1`, 'host: a', `authorization: Bearer ${token}`, ...lines, '', ''].join('\r\n');
  const create = (body: string, ...lines: string[]) =>
    head('POST', URL_PATH, 'content-type: application/json', ...lines) + body;
  /** Sends bytes and reads until the other side has closed. */
  const exchange = async (bytes: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
    return text;
  };
  /** On a busy machine the API may reject requests for a moment, with `overloaded`. */
  const expectWell = async () => {
    const ask = () => fetch(`${api.url}${URL_PATH}`, { headers: { authorization: `Bearer ${token}` } });
    let response = await ask();
    for (let tries = 0; tries < 20 && response.headers.has('retry-after'); tries += 1) {
      await sleep(500);
      response = await ask();
    }
    expect(response.status).toBe(200);
  };

  it.each<[string, () => string, RegExp]>([
    ['invalid chunks', () => create('zz\r\n', 'transfer-encoding: chunked'), /^HTTP\/1\.1 400 .*malformed-request/s],
    [
      'a chunk that is longer than its size line',
      () => create('2\r\n{"name"\r\n', 'transfer-encoding: chunked'),
      /400 .*malformed/s,
    ],
    [
      'a chunk of a size that exceeds all numbers',
      () => create('fffffffffffffffff\r\n', 'transfer-encoding: chunked'),
      /^HTTP\/1\.1 400 /,
    ],
    ['an encoding that is not chunked', () => create('{}', 'transfer-encoding: gzip'), /^HTTP\/1\.1 400 /],
    ['a length that is not a number', () => create('{}', 'content-length: two'), /^HTTP\/1\.1 400 /],
    ['a negative length', () => create('{}', 'content-length: -1'), /^HTTP\/1\.1 400 /],
    [
      'a body beyond the limit, by its Content-Length alone',
      () => create('', 'content-length: 999999999'),
      /^HTTP\/1\.1 413 .*body-too-large/s,
    ],
    [
      'thousands of headers',
      () => head('GET', URL_PATH, ...Array.from({ length: 3_000 }, (_, i) => `x-${i}: a`)),
      /431 .*headers-too-large/s,
    ],
    ['a header of 100 KB', () => head('GET', URL_PATH, `cookie: ${'a'.repeat(100_000)}`), /431 .*headers-too-large/s],
    ['an address of 100 KB', () => head('GET', `/${'a'.repeat(100_000)}`), /^HTTP\/1\.1 431 /],
    ['a header with a NUL', () => head('GET', URL_PATH, 'x-a: a\0b'), /^HTTP\/1\.1 400 /],
    ['a header that continues in the next line', () => head('GET', URL_PATH, 'x-a: a', ' b'), /^HTTP\/1\.1 400 /],
    ['a space before the colon', () => head('GET', URL_PATH, 'content-length : 5'), /^HTTP\/1\.1 400 /],
    ['an unknown method', () => head('HACK'), /^HTTP\/1\.1 400 /],
    ['no host', () => `GET ${URL_PATH} HTTP/1.1\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['HTTP/2 without asking', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 (400|505) /],
    ['a TLS greeting', () => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a tunnel',
      () => `CONNECT evil.example.com:443 HTTP/1.1\r\nhost: evil.example.com:443\r\n\r\n`,
      /^(HTTP\/1\.1 4\d\d |$)/,
    ],
    [
      'an upgrade',
      () => head('GET', URL_PATH, 'connection: upgrade, close', 'upgrade: websocket'),
      /^HTTP\/1\.1 (200|4\d\d) /,
    ],
    [
      'HTTP/1.0',
      () => `GET ${URL_PATH} HTTP/1.0\r\nauthorization: Bearer ${token}\r\n\r\n`,
      /^HTTP\/1\.1 200 .*connection: close/s,
    ],
    [
      'an unknown expectation',
      () => head('GET', URL_PATH, 'expect: everything', 'connection: close'),
      /^HTTP\/1\.1 (200|417) /,
    ],
  ])('responds correctly to %s', async (_, request, answer) => {
    const text = await exchange(request());
    expect(text.toLowerCase()).toMatch(new RegExp(answer.source, `${answer.flags}i`));
    expect(text).not.toMatch(/ {4}at |node_modules|127\.0\.0\.1/);
    await expectWell();
  });

  it('responds to pipelined requests in their order', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `pipelined-${1000 + index}`);
    const requests = ids.map((id, index) =>
      head('GET', URL_PATH, `x-request-id: ${id}`, ...(index === ids.length - 1 ? ['connection: close'] : [])),
    );
    const text = await exchange(requests.join(''));
    expect([...text.matchAll(/^x-request-id: (.*)$/gim)].map(([, id]) => id?.trim())).toEqual(ids);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(ids.length);
  });

  it('parses no second request inside a body', async () => {
    const hidden = `GET /api/v1/hidden HTTP/1.1\r\nhost: a\r\n\r\n`;
    const body = JSON.stringify({ name: hidden });
    const text = await exchange(create(body, `content-length: ${Buffer.byteLength(body)}`, 'connection: close'));
    expect(text.match(/HTTP\/1\.1 2/g)).toHaveLength(1);
    expect(text).toMatch(/^HTTP\/1\.1 201 /);
  });

  it(`keeps serving while ${MANY} connections are open: silent, with half a request, or with an endless one`, async () => {
    const kinds = ['', 'GET / HT', head('GET').slice(0, -2), create('{"name":', 'content-length: 100')];
    const sockets: Socket[] = [];
    for (let opened = 0; opened < MANY; opened += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, index) => openSocket(port, kinds[index % kinds.length] ?? ''));
      sockets.push(...(await Promise.all(batch)));
    }
    await expectWell();
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expectWell();
  });

  it('survives clients that disconnect at any time', async () => {
    for (let round = 0; round < 200; round += 1) {
      const socket = await openSocket(
        port,
        round % 2 === 0 ? head('GET') : create('{"name":"a"', 'content-length: 12'),
      );
      if (round % 3 === 0) await sleep(1);
      socket.resetAndDestroy();
    }
    await expectWell();
  });
});

describe('the API, with slow clients,', () => {
  const slow = [
    ['nothing', ''],
    ['a line without an end', 'GET / HTTP/1.1\r\nhost: a\r\nx-a: '],
    [
      'a body that does not arrive',
      `POST ${URL_PATH} HTTP/1.1\r\nhost: a\r\nAUTHORIZATION\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{`,
    ],
  ] as const;
  for (const [title, template] of slow) {
    itTogether(`closes a connection that sends ${title}, byte by byte or not at all`, async () => {
      const start = template.replace('AUTHORIZATION', `authorization: Bearer ${token}`);
      const socket = await openSocket(Number(new URL(hasty.url).port), start);
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const drops = setInterval(() => start && socket.write('a'), 100);
      await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(drops);
      expect(text).toMatch(/^HTTP\/1\.1 408 .*"code":"incomplete-request"/s);
    });
  }
});

function readFileLimit(): number {
  const [, limit = '1024'] = /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Number(limit);
}

async function openSocket(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  if (bytes) socket.write(bytes);
  return socket;
}
