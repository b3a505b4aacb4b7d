import { get, request } from 'node:http';
import { get as getSecurely } from 'node:https';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Config, Secret } from '@airlock/config';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { html } from '../mail/html.js';
import { Mailer } from '../mail/mailer.js';
import { createTelemetry } from '../telemetry/otlp-telemetry.js';
import { TestMailServer } from '../testing/mail-server.fixture.js';
import { createOutside, RecordingServer } from '../testing/outside.fixture.js';
import type { OutboundProxy } from './outbound-proxy.js';
import { createOutboundProxy } from './serve-outbound-proxy.js';
import { useProxyByDefault } from './use-proxy.js';

/** Listed by the proxy. The same server by the name localhost is not. */
const LISTED = '127.0.0.1';

let server: RecordingServer;
let mail: TestMailServer;
let proxy: OutboundProxy;
let lines: Record<string, unknown>[];
let tunnels: string[];
let forwarded: string[];
let outside: ReturnType<typeof createOutside>;

beforeAll(async () => {
  server = await RecordingServer.start();
  mail = await TestMailServer.start({ disabledCommands: ['STARTTLS'] });
});
afterAll(() => Promise.all([server.stop(), mail.stop()]));
beforeEach(async () => {
  server.reset();
  server.statuses = [200, 200];
  [lines, tunnels, forwarded] = [[], [], []];
  await start({ hosts: [LISTED] });
});
afterEach(async () => {
  await outside.peers.onApplicationShutdown();
  await proxy.close(0);
});

async function start(outbound: { hosts: string[] }): Promise<void> {
  const config = { environment: 'staging', outbound, auth: {}, observability: {}, mail: { server: mailServer() } };
  const record = (fields: object, event: string) => void lines.push({ event, ...fields });
  proxy = createOutboundProxy(config as unknown as Config, { info: record, warn: record } as never);
  proxy.server.prependListener('connect', ({ url }: { url: string }) => tunnels.push(url));
  proxy.server.prependListener('request', ({ url }: { url: string }) => forwarded.push(url));
  await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
  outside = createOutside('staging', { hosts: [LISTED, 'localhost'], proxy: address(), maxRetries: 0 });
}

const address = () => `http://127.0.0.1:${(proxy.server.address() as AddressInfo).port}`;
const byName = () => server.url.replace(LISTED, 'localhost');
const mailServer = () => ({
  ...{ host: 'localhost', port: mail.port, user: '', password: new Secret('') },
  ...{ tls: 'none' as const, isCatcher: true },
});
const refusals = () =>
  lines.filter(({ event }) => event === 'outbound.refused').map(({ host, port }) => ({ host, port }));

describe('a process behind the proxy', () => {
  it('reaches the hosts that the proxy lists, in a tunnel', async () => {
    const peer = outside.peers.to({ name: 'shop', address: () => server.url });
    expect((await peer.fetch('/orders', { method: 'POST', json: { cents: 5 } })).status).toBe(200);
    expect(server.seen).toMatchObject([{ method: 'POST', url: '/orders', body: '{"cents":5}' }]);
    expect(tunnels).toEqual([`${LISTED}:${server.port}`]);
  });

  it('reaches no other host, whatever the process itself would allow', async () => {
    const peer = outside.peers.to({ name: 'shop', address: byName });
    await expect(peer.fetch('/')).rejects.toThrow('shop: did not respond');
    expect(server.seen).toEqual([]);
    expect(refusals()).toEqual([{ host: 'localhost', port: server.port }]);
  });

  it.each([() => server.url, byName])('reaches no private address that a user chose', async (url) => {
    await proxy.close(0);
    await start({ hosts: [LISTED, 'localhost'] });
    const https = url().replace('http:', 'https:');
    await expect(outside.peers.toAnyone({ name: 'webhooks' }).fetch(https)).rejects.toThrow('did not respond');
    expect(tunnels).toHaveLength(1);
    expect(lines).toMatchObject([{ event: expect.stringMatching(/^outbound\.(refused|failed)$/) }]);
    expect(server.seen).toEqual([]);
  });

  it('sends mail through it, and reaches no other port of the mail server', async () => {
    const mailer = new Mailer({
      outbound: outside.outbound,
      mail: { server: mailServer(), from: 'no-reply@example.org' },
    });
    const content = { name: 'planted', subject: 'planted', text: 'planted', html: html`<p>planted</p>` };
    expect(await mailer.deliver({ key: '1', to: 'ada@example.com', mail: content })).toBe('caught');
    expect(mail.received).toHaveLength(1);
    expect(tunnels).toEqual([`localhost:${mail.port}`]);
    expect(await open(`localhost:${server.port}`)).toBe(403);
  });

  it('sends its traces through it', async () => {
    const config = { environment: 'staging', service: { name: 'x' }, outbound: { hosts: [], proxy: address() } };
    const options = { config, version: { version: '1' }, logger: { info: () => {}, warn: () => {} } } as never;
    server.statuses = Array.from({ length: 9 }, () => 200);
    const telemetry = createTelemetry(server.url, options);
    await telemetry.close(2_000);
    expect(server.seen.map(({ url }) => url)).toContain('/v1/metrics');
    expect(forwarded).toContain(`${server.url}/v1/metrics`);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['fetch', () => fetch('http://api.payments.example/')],
    ['fetch with TLS', () => fetch('https://api.payments.example/')],
    ['node:http', () => responseOf(get('http://api.payments.example/'))],
    ['node:https', () => responseOf(getSecurely('https://api.payments.example/'))],
  ])('has its libraries judged: %s', async (_, call) => {
    const undo = useProxyByDefault(address());
    try {
      await call().catch(() => undefined);
    } finally {
      undo();
    }
    expect(refusals()).toMatchObject([{ host: 'api.payments.example' }]);
  });
});

describe('OutboundProxy', () => {
  it('forwards plain http as it was sent, without what concerns the connection', async () => {
    const headers = { 'x-a': '1', connection: 'x-hop', 'x-hop': '1', 'proxy-authorization': 'Basic eA==' };
    const asked = request(address(), { method: 'PUT', path: `${server.url}/a?b=c`, headers, agent: false });
    asked.end('body');
    expect(await responseOf(asked)).toBe(200);
    expect(server.seen).toMatchObject([{ method: 'PUT', url: '/a?b=c', body: 'body' }]);
    expect(server.seen[0]?.headers).toMatchObject({ 'x-a': '1', host: `${LISTED}:${server.port}` });
    const names = Object.keys(server.seen[0]?.headers ?? {});
    expect(names.filter((name) => /^(x-hop|proxy-.*)$/.test(name))).toEqual([]);
  });

  it.each([
    ...['', LISTED, `${LISTED}:0`, `${LISTED}:65536`, `user@${LISTED}:80`, `${LISTED}:80/path`, ':80', '[::1'],
    ...['[::1]:80', '0.0.0.0:80', 'localhost:80', `${LISTED}.example.com:80`],
  ])('refuses a tunnel to %j', async (authority) => {
    expect(await open(authority)).toBe(403);
    expect(lines).toMatchObject([{ event: 'outbound.refused' }]);
  });

  it.each([
    ['/', 400],
    [`ftp://${LISTED}/`, 400],
    [`http://user@${LISTED}/`, 400],
    [`http://localhost:80/`, 403],
    ['http://[::1]:80/', 403],
    ['/startupz', 200],
  ])('responds to a request for %s with %i', async (path, status) => {
    expect(await responseOf(get(address(), { path, agent: false }))).toBe(status);
  });

  it('says which host it could not reach', async () => {
    const held = createServer();
    const port = await listen(held);
    await new Promise((resolve) => held.close(resolve));
    expect(await open(`${LISTED}:${port}`)).toBe(502);
    const plain = get(address(), { path: `http://${LISTED}:${port}/`, agent: false });
    expect(await responseOf(plain)).toBe(502);
    const failed = { event: 'outbound.failed', host: LISTED, port, reason: expect.stringContaining('ECONNREFUSED') };
    expect(lines).toEqual([failed, failed]);
  });

  it('keeps one direction open when the other has ended, and sends what came with the request', async () => {
    const far = createServer({ allowHalfOpen: true }, (socket) => {
      void text(socket).then((received) => socket.end(`received ${received}`));
    });
    const authority = `${LISTED}:${await listen(far)}`;
    const near = connect({ port: Number(new URL(address()).port), host: '127.0.0.1', allowHalfOpen: true });
    near.end(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\nearly`);
    expect(await text(near)).toBe('HTTP/1.1 200 Connection Established\r\n\r\nreceived early');
    const silent = connect({ port: Number(new URL(address()).port), host: '127.0.0.1', allowHalfOpen: true });
    silent.end(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
    expect(await text(silent)).toMatch(/received $/);
    await new Promise((resolve) => far.close(resolve));
  });

  it('ends a tunnel at both ends when one is cut, and accepts the next', async () => {
    const sockets: { destroyed: boolean; resetAndDestroy: () => unknown }[] = [];
    const far = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    const authority = `${LISTED}:${await listen(far)}`;
    const near = await tunnel(authority);
    sockets[0]?.resetAndDestroy();
    await new Promise((resolve) => near.once('close', resolve));
    const next = await tunnel(authority);
    next.resetAndDestroy();
    await new Promise((resolve) => far.close(resolve));
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  it('survives clients that leave while it connects', async () => {
    const far = createServer((socket) => void socket.on('error', () => undefined).resume());
    const authority = `${LISTED}:${await listen(far)}`;
    for (const words of [`CONNECT ${authority}`, `GET http://${authority}/`]) {
      const near = connect(Number(new URL(address()).port), '127.0.0.1').on('error', () => undefined);
      near.write(`${words} HTTP/1.1\r\nhost: x\r\n\r\n`, () => near.resetAndDestroy());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    (await tunnel(authority)).destroy();
    expect(lines).toEqual([]);
    await new Promise((resolve) => far.close(resolve));
  });

  it('closes when its tunnels have ended, and at the time limit ends them', async () => {
    const far = createServer((socket) => void socket.on('error', () => undefined));
    const authority = `${LISTED}:${await listen(far)}`;
    const [first, second] = [await tunnel(authority), await tunnel(authority)];
    let isClosed = false;
    const closed = proxy.close(300).then(() => (isClosed = true));
    first.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([isClosed, second.destroyed]).toEqual([false, false]);
    await closed;
    await new Promise((resolve) => far.close(resolve));
  });
});

/** @returns the status of the response to CONNECT */
function open(authority: string): Promise<number> {
  const near = connect(Number(new URL(address()).port), '127.0.0.1');
  near.end(`CONNECT ${authority} HTTP/1.1\r\nhost: x\r\n\r\n`);
  return text(near).then((received) => Number(/^HTTP\/1.1 (\d+)/.exec(received)?.[1]));
}

function tunnel(authority: string): Promise<ReturnType<typeof connect>> {
  const asked = request(address(), { method: 'CONNECT', path: authority, agent: false });
  asked.end();
  return new Promise((resolve) => {
    asked.once('connect', (_, socket) => resolve(socket.on('error', () => undefined)));
  });
}

function responseOf(asked: ReturnType<typeof request>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    asked.once('error', reject).once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
}

async function listen(listener: Server): Promise<number> {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return (listener.address() as AddressInfo).port;
}
