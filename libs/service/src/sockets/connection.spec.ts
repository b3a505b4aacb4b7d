import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { WebSocket, WebSocketServer } from 'ws';
import { SocketConnection } from './connection.js';

const HEARTBEAT_MS = 20;

describe('SocketConnection', () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const clients: WebSocket[] = [];
  beforeAll(() => once(server, 'listening'));
  afterEach(() => {
    for (const client of clients.splice(0)) client.terminate();
  });
  afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  const open = async ({ autoPong = true } = {}) => {
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong });
    clients.push(client);
    const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
      [WebSocket],
      unknown,
    ];
    const options = { received: z.object({ n: z.number() }), admit: () => true, heartbeatMs: HEARTBEAT_MS };
    return { client, socket, connection: new SocketConnection<{ n: number }>(socket, options) };
  };

  it('asks its client for a sign of life, and stays open for one that gives it', async () => {
    const { client, connection } = await open();
    for (let n = 0; n < 5; n += 1) await once(client, 'ping');
    expect(connection.signal.aborted).toBe(false);
    client.close();
    await once(connection.signal, 'abort');
  });

  it('ends for a client that gives no sign of life', async () => {
    const { connection } = await open({ autoPong: false });
    await once(connection.signal, 'abort');
    expect(connection.closeCode).toBe(1006);
  });

  it('ends for a client that does not answer its end', async () => {
    const { client, socket, connection } = await open();
    client.pause();
    connection.finish();
    await once(socket, 'close');
    expect(connection.closeCode).toBe(1000);
    await expect(connection.send({})).rejects.toThrow('aborted');
  });

  it('gives each message once, and ends with the connection', async () => {
    const { client, connection } = await open();
    for (const n of [1, 2, 3]) client.send(JSON.stringify({ n }));
    client.close();
    const received: number[] = [];
    for await (const { n } of connection.messages) received.push(n);
    expect(received).toEqual([1, 2, 3]);
  });
});
