import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Secret } from '@airlock/config';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RequestContext, runInContext } from '../context/request-context.js';
import { createOutside, RecordingServer } from '../testing/outside.fixture.js';
import type { HttpPeer } from './http-peer.js';

const KEY = 'k3v0qXzR8bYt5LwN';

describe('HttpPeer', () => {
  let server: RecordingServer;
  let outside: ReturnType<typeof createOutside>;
  let peer: HttpPeer;
  beforeAll(async () => (server = await RecordingServer.start()));
  beforeEach(() => {
    server.reset();
    outside = createOutside('testing');
    peer = outside.peers.to({ name: 'shop', address: () => `${server.url}/v1`, baseDelayMs: 1, maxBytes: 100 });
  });
  afterEach(() => outside.peers.onApplicationShutdown());
  afterAll(() => server.stop());

  it.each(['GET', 'PUT', 'DELETE'])('retries %s until it gets a response', async (method) => {
    server.statuses = [503, 502, 200];
    expect((await peer.fetch('/', { method })).status).toBe(200);
    expect(server.seen).toHaveLength(3);
  });

  it.each(['POST', 'PATCH'])('sends %s once, because it may have been processed', async (method) => {
    server.statuses = [503, 200];
    expect((await peer.fetch('/', { method })).status).toBe(503);
    expect(server.seen).toHaveLength(1);
  });

  it('retries a POST that has a key, with the same key and body', async () => {
    server.statuses = [503, 201];
    expect((await peer.fetch('/charges', { method: 'POST', json: { cents: 5 }, idempotencyKey: 'order-1' })).ok).toBe(
      true,
    );
    const sent = { method: 'POST', url: '/v1/charges', body: '{"cents":5}' };
    const headers = expect.objectContaining({ 'idempotency-key': 'order-1', 'content-type': 'application/json' });
    expect(server.seen).toEqual([
      { ...sent, headers },
      { ...sent, headers },
    ]);
  });

  it('waits as long as Retry-After says, but not beyond its time limit', async () => {
    server.statuses = [429, 200];
    server.headers = { 'retry-after': '600' };
    const hasty = outside.peers.to({ name: 'shop', address: () => server.url, timeoutMs: 300 });
    await expect(hasty.fetch('/')).rejects.toThrow('shop: did not respond');
    expect(server.seen).toHaveLength(1);
  });

  it('returns the last response when the retries are used up', async () => {
    server.statuses = [503, 503, 503, 200];
    expect((await peer.fetch('/')).status).toBe(503);
    expect(server.seen).toHaveLength(3);
  });

  it.each([400, 401, 404, 500])('does not retry after status %s', async (status) => {
    server.statuses = [status];
    expect((await peer.fetch('/')).status).toBe(status);
    expect(server.seen).toHaveLength(1);
  });

  it('returns a redirect and does not follow it', async () => {
    server.statuses = [302, 200];
    server.headers = { location: '/elsewhere' };
    const { status, ok, headers } = await peer.fetch('/');
    expect([status, ok, headers.get('location')]).toEqual([302, false, '/elsewhere']);
    expect(server.seen).toHaveLength(1);
  });

  it('ends at the time limit, including all retries', async () => {
    // Long enough for the request to arrive on a busy machine. A later request would be counted by the next test.
    const hasty = outside.peers.to({
      name: 'shop',
      address: () => server.url,
      timeoutMs: 1_000,
      maxRetries: 5,
      baseDelayMs: 1,
    });
    await expect(hasty.fetch('/')).rejects.toThrow('shop: did not respond');
    expect(server.seen).toHaveLength(1);
  });

  it('reads a body up to the limit, and rejects a longer one without a retry', async () => {
    server.statuses = [200, 200];
    server.body = 'ä'.repeat(50);
    expect((await peer.fetch('/')).text).toBe(server.body);
    server.body = 'ä'.repeat(51);
    await expect(peer.fetch('/')).rejects.toThrow('shop: sent more than 100 bytes');
    expect(server.seen).toHaveLength(2);
  });

  it('parses JSON only on demand', async () => {
    server.statuses = [200, 200];
    server.body = '{"a":1}';
    expect((await peer.fetch('/')).json()).toEqual({ a: 1 });
    server.body = 'no';
    const response = await peer.fetch('/');
    expect(() => response.json()).toThrow(SyntaxError);
  });

  it('passes the ids of the request on', async () => {
    server.statuses = [200];
    const context = new RequestContext({ 'x-request-id': 'request-1234', 'x-correlation-id': 'journey-1234' });
    await inContext(context, () => peer.fetch('/'));
    expect(server.seen[0]?.headers).toMatchObject({
      'x-request-id': 'request-1234',
      'x-correlation-id': 'journey-1234',
      traceparent: `00-${context.trace.traceId}-${context.trace.spanId}-00`,
    });
  });

  it('ends with the request of the caller, and sends nothing after its end', async () => {
    const patient = outside.peers.to({ name: 'shop', address: () => server.url, timeoutMs: 60_000 });
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const context = new RequestContext({}, { response });
    const call = inContext(context, () => patient.fetch('/'));
    await until(() => server.seen.length === 1);
    response.destroy();
    response.emit('close');
    await expect(call).rejects.toThrow('shop: did not respond');
    const later = new RequestContext({}, { response });
    await expect(inContext(later, () => patient.fetch('/'))).rejects.toThrow('shop: did not respond');
    expect(server.seen).toHaveLength(1);
  });

  it('of the system itself does not end with a request, because several may wait for it', async () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.destroy();
    server.statuses = [200];
    const issuer = outside.peers.toOwn({ name: 'issuer', url: server.url });
    expect((await inContext(new RequestContext({}, { response }), () => issuer.fetch(''))).status).toBe(200);
  });

  it('sends a secret, and shows it nowhere', async () => {
    server.statuses = [200];
    await peer.fetch('/', { headers: { Authorization: new Secret(`Bearer ${KEY}`) } });
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    const refused = outside.peers.to({ name: 'shop', address: () => 'http://shop.example' });
    const failure = await refused.fetch('/', { headers: { authorization: new Secret(KEY) } }).catch(String);
    expect(JSON.stringify([failure, outside.lines, outside.outbound.kept, outside.departures])).not.toContain(KEY);
  });

  it.each(['https://evil.example/', '/../admin', '/%2e%2e/admin', '/../v1admin', '@evil.example', 'x', '/\\..\\..\\x'])(
    'refuses the path %j, which leaves the service',
    async (path) => {
      await expect(peer.fetch(path)).rejects.toThrow('was given a path that leaves the service');
      expect(server.seen).toEqual([]);
    },
  );

  it.each(['//evil.example/', '/a@evil.example', '/..%2fadmin'])('sends the path %j to the service', async (path) => {
    server.statuses = [200];
    await peer.fetch(path);
    expect(server.seen.map(({ url }) => url)).toEqual([`/v1${path}`]);
  });

  it('refuses a header that would add another', async () => {
    await expect(peer.fetch('/', { headers: { 'x-note': 'a\r\nx-admin: 1' } })).rejects.toThrow(
      'shop: did not respond',
    );
    expect(server.seen).toEqual([]);
  });

  it('counts each attempt under its fixed name', async () => {
    server.statuses = [503, 404];
    await peer.fetch('/42');
    expect(outside.departures).toEqual([
      { peer: 'shop', method: 'GET', outcome: '5xx', seconds: expect.any(Number) },
      { peer: 'shop', method: 'GET', outcome: '4xx', seconds: expect.any(Number) },
    ]);
  });

  it.each(['https://shop.example', 'Shop', ''])('refuses the name %j, which could be a value', (name) => {
    expect(() => outside.peers.to({ name, address: () => server.url })).toThrow('expected a word such as payments');
  });
});

function inContext<T>(context: RequestContext, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => runInContext(context, () => void run().then(resolve, reject)));
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}
