import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { withTestDatabase } from '@airlock/database-dev/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppProcess } from '../testing/app-process.fixture.js';
import { EventClient } from '../testing/event-client.fixture.js';
import { SocketClient } from '../testing/socket-client.fixture.js';
import { TestIssuer } from '../testing/test-issuer.fixture.js';

const FOLDER = fileURLToPath(new URL('../testing/streaming-service/', import.meta.url));
const REQUESTS_MS = 40_000;
const BUDGET = {
  SHUTDOWN_DRAIN: '1s',
  SHUTDOWN_REQUESTS: `${REQUESTS_MS / 1_000}s`,
  SHUTDOWN_TEARDOWN: '2s',
  SHUTDOWN_GRACE: '50s',
};

describe('the shutdown of a process with open streams', () => {
  let issuer: TestIssuer;
  beforeAll(async () => void (issuer = await TestIssuer.start()));
  afterAll(() => issuer.stop());

  it.each([1, 2])('ends them and waits for none, with %d workers', (workers) =>
    withTestDatabase(async (database) => {
      const config = { ...database.config, auth: issuer.auth };
      const env = { ...BUDGET, WORKERS: String(workers) };
      const app = await AppProcess.start({ config, folder: FOLDER, env });
      const clients: EventClient[] = [];
      const sockets: SocketClient[] = [];
      try {
        while (app.lines.filter(({ event }) => event === 'listening').length < workers) await sleep(20);
        const open = async (path: string, user: string) => {
          const authorization = `Bearer ${await issuer.sign({ sub: user })}`;
          const client = await EventClient.connect(`${app.url}/api/v1/ticks${path}`, { authorization });
          clients.push(client);
          expect(await client.waitFor((block) => block.includes('data: '))).toBeDefined();
          return client;
        };
        const reading = await Promise.all(Array.from({ length: 30 }, (_, n) => open('', `user_${n % 3}`)));
        const stuck = await open('/fast', 'user_4');
        stuck.pause();

        const talk = async (user: string) => {
          const headers = { authorization: `Bearer ${await issuer.sign({ sub: user })}` };
          const socket = await SocketClient.connect(`${app.url}/api/v1/ticks/socket`, { headers });
          sockets.push(socket);
          await socket.waitFor(1);
          return socket;
        };
        const talking = await Promise.all(Array.from({ length: 20 }, (_, n) => talk(`user_${n % 3}`)));
        const silent = await talk('user_4');
        silent.socket.pause();

        app.signal('SIGTERM');
        for (const socket of talking) expect(await socket.closed).toEqual([1012, 'reconnect']);
        await Promise.all(reading.map((client) => client.ended));
        expect(reading.every((client) => client.isComplete)).toBe(true);
        expect(await app.exited).toEqual({ code: 0, signal: null });
        // Shorter than the time that requests in flight would get.
        const done = app.lines.filter(({ event }) => event === 'shutdown.done');
        expect(done.length).toBeGreaterThan(0);
        for (const line of done) expect(line['duration_ms']).toBeLessThan(REQUESTS_MS);
        const lines = app.lines.filter(({ event }) => event === 'request');
        expect(lines).toHaveLength(52);
      } finally {
        for (const client of [...clients, ...sockets]) client.disconnect();
        await app.stop();
      }
    }),
  );
});
