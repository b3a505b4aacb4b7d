import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, createServer, type Server, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTransport } from 'nodemailer';
import { fetch as undiciFetch } from 'undici';
import { OUTSIDE, RecordingServer } from '../testing/outside.fixture.js';

/** The guard of the test run itself: nothing here installs one. */
describe('a test', () => {
  let outsider: RecordingServer;
  let sockets: number;
  let server: Server;
  beforeAll(async () => {
    outsider = await RecordingServer.start(OUTSIDE);
    sockets = 0;
    server = createServer((socket) => void ((sockets += 1), socket.destroy()));
    await new Promise<void>((resolve) => server.listen(0, OUTSIDE, resolve));
  });
  afterAll(async () => {
    await outsider.stop();
    await new Promise((resolve) => server.close(resolve));
  });
  const port = () => (server.address() as { port: number }).port;
  const failed = (socket: NodeJS.EventEmitter) =>
    new Promise<Error>(
      (resolve) => void socket.once('error', resolve).once('connect', () => resolve(new Error('connected'))),
    );

  it.each<[string, () => Promise<unknown>]>([
    ['fetch', () => fetch(outsider.url)],
    ['fetch of undici', () => undiciFetch(outsider.url)],
    ['node:http', () => failed(plainRequest(outsider.url))],
    ['node:https', () => failed(tlsRequest(`https://${OUTSIDE}:${port()}`))],
    ['net.connect with a port and a host', () => failed(connect(port(), OUTSIDE))],
    ['net.connect with options', () => failed(connect({ port: port(), host: OUTSIDE }))],
    ['a socket', () => failed(new Socket().connect(port(), OUTSIDE))],
    ['another spelling', () => failed(connect(port(), '127.2'))],
    ['an IPv4 address in IPv6', () => failed(connect(port(), `::ffff:${OUTSIDE}`))],
    ['node:tls', () => failed(connectTls({ port: port(), host: OUTSIDE }))],
    ['nodemailer', () => createTransport({ host: OUTSIDE, port: port() }).sendMail({ from: 'a@b.c', to: 'a@b.c' })],
    ['a name', () => failed(connect({ port: 80, host: 'api.payments.example' }))],
  ])('cannot reach a host outside by %s', async (_, open) => {
    const outcome = await open().then(
      (value) => value as Error,
      (error: Error) => error,
    );
    const { message } = outcome.message === 'fetch failed' ? (outcome.cause as Error) : outcome;
    expect(message).toContain('is outside of this test; expected a fake');
    expect([sockets, outsider.seen]).toEqual([0, []]);
  });

  it('reaches servers on this machine by address, by name and by path', async () => {
    const inside = await RecordingServer.start();
    const folder = await mkdtemp(join(tmpdir(), 'airlock-guard-'));
    const path = join(folder, 'socket');
    const local = createServer((socket) => void socket.end()).listen(path);
    try {
      inside.statuses = [204, 204];
      expect((await fetch(inside.url)).status).toBe(204);
      expect((await fetch(`http://localhost:${inside.port}`)).status).toBe(204);
      expect((await failed(connect(path))).message).toBe('connected');
    } finally {
      await inside.stop();
      await new Promise((resolve) => local.close(resolve));
      await rm(folder, { recursive: true });
    }
  });
});
