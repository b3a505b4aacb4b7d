import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createOutside, OUTSIDE, RecordingServer } from '../testing/outside.fixture.js';
import { NotSentError } from './not-sent-error.js';
import type { LookUp } from './public-agent.js';

let inside: RecordingServer;
let outsider: RecordingServer;
let outside: ReturnType<typeof createOutside>;
beforeAll(
  async () => ([inside, outsider] = await Promise.all([RecordingServer.start(), RecordingServer.start(OUTSIDE)])),
);
beforeEach(() => {
  inside.reset();
  outsider.reset();
  Object.assign(inside, { statuses: [200, 200, 200] });
  Object.assign(outsider, { statuses: [200, 200, 200] });
});
afterEach(() => outside.peers.onApplicationShutdown());
afterAll(() => Promise.all([inside.stop(), outsider.stop()]));

describe('a service outside', () => {
  it.each(['development', 'testing', 'preview', 'staging'] as const)(
    'gets nothing in %s, and the rest is kept',
    async (environment) => {
      outside = createOutside(environment);
      const peer = outside.peers.to({ name: 'shop', address: () => outsider.url });
      const call = peer.fetch('/orders', { method: 'POST', json: { name: 'Ada' } });
      await expect(call).rejects.toThrow(NotSentError);
      expect(outsider.seen).toEqual([]);
      expect(outside.lines).toMatchObject([{ event: 'outbound.kept', kind: 'http', name: 'shop', is_sent: false }]);
      expect(outside.departures).toMatchObject([{ peer: 'shop', outcome: 'kept' }]);
    },
  );

  it.each([
    ['development', true],
    ['testing', true],
    ['preview', false],
    ['staging', false],
  ] as const)('is named in the log of %s; its content is shown: %s', async (environment, isShown) => {
    outside = createOutside(environment);
    const peer = outside.peers.to({ name: 'shop', address: () => outsider.url });
    await peer.fetch('/orders', { method: 'POST', json: { name: 'Ada' } }).catch(() => undefined);
    expect(JSON.stringify(outside.lines).includes('Ada')).toBe(isShown);
  });

  it('is reached where it is listed', async () => {
    outside = createOutside('staging', { hosts: ['127.0.0.1'] });
    expect((await outside.peers.to({ name: 'shop', address: () => inside.url }).fetch('/')).ok).toBe(true);
    await expect(outside.peers.to({ name: 'shop', address: () => outsider.url }).fetch('/')).rejects.toThrow(
      NotSentError,
    );
  });

  it('is reached everywhere if it is a part of the system', async () => {
    outside = createOutside('staging');
    expect((await outside.peers.toOwn({ name: 'issuer', url: inside.url }).fetch('')).ok).toBe(true);
  });

  it('can be read in a test: what was sent, and to which service', async () => {
    outside = createOutside('testing');
    const peer = outside.peers.to({ name: 'shop', address: () => outsider.url });
    await peer.fetch('/orders', { method: 'POST', json: { a: 1 } }).catch(() => undefined);
    expect(outside.outbound.kept).toEqual([
      { kind: 'http', peer: 'shop', method: 'POST', url: `${outsider.url}/orders`, body: '{"a":1}' },
    ]);
  });
});

describe('a fake', () => {
  const fake = async (request: Request) =>
    Response.json({ path: new URL(request.url).pathname, body: await request.text() });

  it('responds in place of the service, and what it got is kept', async () => {
    outside = createOutside('testing');
    const peer = outside.peers.to({ name: 'shop', address: () => 'fake:', fake });
    const response = await peer.fetch('/charges', { method: 'POST', json: { cents: 5 } });
    expect(response.json()).toEqual({ path: '/charges', body: '{"cents":5}' });
    expect(outside.outbound.kept).toMatchObject([{ peer: 'shop', method: 'POST', body: '{"cents":5}' }]);
  });

  it('is subject to the limits of a service', async () => {
    outside = createOutside('testing');
    const peer = outside.peers.to({
      name: 'shop',
      address: () => 'fake:',
      timeoutMs: 50,
      fake: () => new Promise(() => {}),
    });
    await expect(peer.fetch('/')).rejects.toThrow('shop: did not respond');
  });

  it.each(['staging', 'production'] as const)('is refused in %s', (environment) => {
    outside = createOutside(environment);
    expect(() => outside.peers.to({ name: 'shop', address: () => 'fake:', fake })).toThrow(
      'shop: its address is fake:',
    );
  });

  it('is not used beside a real address', async () => {
    outside = createOutside('testing');
    await outside.peers.to({ name: 'shop', address: () => inside.url, fake }).fetch('/');
    expect(inside.seen).toHaveLength(1);
  });
});

describe('an address that a user chose', () => {
  const resolveTo =
    (addresses: string[]): LookUp =>
    (_, __, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  const open = (lookup?: LookUp) => {
    outside = createOutside('preview', { hosts: ['*'], maxRetries: 1, ...(lookup && { lookup }) });
    return outside.peers.toAnyone({ name: 'webhooks', baseDelayMs: 1 });
  };
  const causeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'sent',
      (error: Error) => (error.cause as Error).name,
    );

  it.each([
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '10.0.0.1',
    '100.100.100.200',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    'localhost',
  ])('is not connected to at %s', async (host) => {
    expect(await causeOf(open().fetch(`http://${host}:${inside.port}/`))).toBe('PrivateAddressError');
    expect(inside.seen).toEqual([]);
  });

  it.each([
    ['to a private address', ['127.0.0.1']],
    ['to the metadata of a cloud', ['169.254.169.254']],
    ['to several private addresses', ['10.0.0.1', '::1']],
    ['to nothing', []],
  ])('is not connected to if its name resolves %s', async (_, answers) => {
    const peer = open(resolveTo(answers));
    expect(await causeOf(peer.fetch(`http://localhost:${inside.port}/`, { method: 'POST' }))).toBe(
      'PrivateAddressError',
    );
    expect(inside.seen).toEqual([]);
  });

  it('is connected to at the address that was judged, which is resolved once for a connection', async () => {
    let count = 0;
    const lookup: LookUp = (_, __, done) => {
      count += 1;
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    outside = createOutside('testing', { lookup });
    const peer = outside.peers.toAnyone({ name: 'webhooks' });
    expect((await peer.fetch(`http://localhost:${inside.port}/`)).ok).toBe(true);
    expect([count, inside.seen.length]).toEqual([1, 1]);
  });

  it('does not lead to another server by a redirect', async () => {
    outside = createOutside('testing');
    Object.assign(inside, { statuses: [307], headers: { location: `${outsider.url}/` } });
    expect((await outside.peers.toAnyone({ name: 'webhooks' }).fetch(inside.url)).status).toBe(307);
    expect(outsider.seen).toEqual([]);
  });

  it.each(['ftp://a.example/', 'file:///etc/passwd', 'http://user:p@a.example/', 'gopher://a', 'x', '/a'])(
    'is refused as %s',
    async (address) => {
      await expect(open().fetch(address)).rejects.toThrow('webhooks: was given an address');
    },
  );

  it('must be encrypted where the environment requires TLS', async () => {
    outside = createOutside('production', { hosts: ['*'] });
    await expect(outside.peers.toAnyone({ name: 'webhooks' }).fetch('http://a.example/')).rejects.toThrow(
      'is not https',
    );
  });

  it('is not a name in metrics and traces', async () => {
    outside = createOutside('testing');
    await outside.peers.toAnyone({ name: 'webhooks' }).fetch(inside.url);
    expect(outside.departures).toMatchObject([{ peer: 'webhooks', outcome: '2xx' }]);
  });
});
