import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startHangingProxy,
  authentication,
  challenge,
  CLEARTEXT,
  message,
  NOTICE,
  SASL,
  startFakeServer,
} from '@airlock/database/fixtures';
import { connectClient, createSessionConfig } from '@airlock/database/internal';
import { bounded, withinTime } from './bounded-session.js';
import { startServers, World, type Servers } from './world.fixture.js';

let servers: Servers;
let world: World;
let counter = 0;

beforeAll(async () => {
  servers = await startServers();
}, 60_000);
afterAll(() => servers.stop());
beforeEach(async () => {
  world = await new World(servers, `airlock_h${++counter}_test`).provision();
});
afterEach(async () => {
  expect(await world.isKept()).toBe(true);
  expect(await world.isCanaryAlive()).toBe(true);
  await world.dispose();
});

describe('a reset at a port of another program', () => {
  it.each<[string, (socket: Socket, nth: number, chunk: Buffer) => unknown, RegExp]>([
    ['asks for the password in clear text', (socket) => socket.write(CLEARTEXT), /in clear text/],
    ['asks for an MD5 hash', (socket) => socket.write(authentication(5, 'salt')), /as an MD5 hash/],
    [
      'requests SCRAM with one iteration, as servers of a test run do',
      (socket, nth, chunk) => socket.write(nth === 0 ? SASL : challenge(chunk, 1)),
      /with 1 iterations; expected 4096/,
    ],
    [
      'announces a message of a gigabyte',
      (socket) => socket.write(message('N', NOTICE, 2 ** 30)),
      /announces a message/,
    ],
    ['closes in the middle of a message', (socket) => socket.end(CLEARTEXT.subarray(0, 5)), /terminated unexpectedly/],
    ['sends nothing', () => undefined, /timeout expired/],
  ])('is refused, and gives no password, when it %s', async (_case, answer, words) => {
    const fake = await startFakeServer(answer);
    world.cleanups.push(() => fake.stop());
    world.writeSettings({ port: fake.port });
    world.record({ port: fake.port });
    const report = await world.reset();
    expect(report).toMatchObject({ outcome: 'refused', failure: expect.stringMatching(words) });
    expect(fake.received().includes(`${world.database}_migrator-secret`)).toBe(false);
  });
});

describe('a session that is taken over after authentication', () => {
  const limit = { step: 'asking', ms: 400, bytes: 100_000 };
  const row = Buffer.concat([Buffer.from([0, 1, 0, 0, 3, 232]), Buffer.alloc(1000, 120)]);
  const columns = Buffer.concat([Buffer.from([0, 1]), Buffer.from('x\0'), Buffer.alloc(18)]);

  const repeat = (client: Socket, chunk: Buffer, everyMs: number) => {
    const timer = setInterval(() => client.writable && client.write(chunk), everyMs);
    client.on('close', () => clearInterval(timer));
  };

  it.each<[string, (client: Socket) => unknown, RegExp]>([
    ['sends nothing more', () => undefined, /asking: the server took over 0.4 s/],
    [
      'sends one byte at a time',
      (client) => repeat(client, Buffer.from('N'), 5),
      /asking: the server took over 0.4 s|announces/,
    ],
    [
      'sends notices without end',
      (client) => repeat(client, Buffer.concat(Array<Buffer>(500).fill(NOTICE)), 1),
      /sent over 100000 bytes/,
    ],
    [
      'sends rows without end',
      (client) => (
        client.write(message('T', columns)),
        repeat(client, Buffer.concat(Array<Buffer>(20).fill(message('D', row))), 1)
      ),
      /sent over 100000 bytes/,
    ],
    ['closes', (client) => client.destroy(), /terminated unexpectedly|ECONNRESET/],
    ['asks for the password once more', (client) => client.write(CLEARTEXT), /in clear text/],
  ])('ends with a named error when it %s', async (_case, act, words) => {
    const proxy = await startHangingProxy(servers.test.port, (sent, client) => {
      if (!sent.includes('take over')) return false;
      act(client);
      return true;
    });
    world.cleanups.push(() => proxy.stop());
    const address = { ...servers.test.superuser, port: proxy.port };
    const client = await connectClient(address, { config: createSessionConfig('testing'), purpose: 'spec' });
    world.cleanups.push(() => client.end());
    await expect(bounded(client, limit, () => client.query(`SELECT 'take over'`))).rejects.toThrow(words);
  });

  it('is refused by the reset, which then disconnects', async () => {
    const proxy = await startHangingProxy(servers.test.port, (sent, client) => {
      if (!sent.includes('pg_try_advisory_lock')) return false;
      repeat(client, Buffer.concat(Array<Buffer>(5_000).fill(NOTICE)), 1);
      return true;
    });
    world.cleanups.push(() => proxy.stop());
    world.writeSettings({ port: proxy.port });
    world.record({ port: proxy.port });
    expect(await world.reset()).toMatchObject({
      outcome: 'refused',
      failure: expect.stringContaining('reset-test: waiting for another reset: the server sent over'),
    });
  });

  it('ends at the time limit for work that is not on a session of the reset', async () => {
    const work = new Promise(() => undefined);
    await expect(withinTime({ ...limit, ms: 20 }, work)).rejects.toThrow('asking: the server took over 0.02 s');
  });
});
