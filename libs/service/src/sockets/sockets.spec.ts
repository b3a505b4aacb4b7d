import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { WebSocket } from 'ws';
import { UserId } from '../auth/user-id.decorator.js';
import { currentContext } from '../context/request-context.js';
import { createOpenApi } from '../openapi/create-openapi.js';
import { Operation } from '../openapi/operation.js';
import { Problem } from '../problems/problem.js';
import { RefusedSocket, SocketClient } from '../testing/socket-client.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import type { Conversation } from './connection.js';
import { defineService } from '../testing/define-service.fixture.js';

const said = z.strictObject({ text: z.string().max(10) }).meta({ id: 'Said' });
const heard = z.object({ text: z.string() }).meta({ id: 'Heard' });
const TALK = { status: 101, messages: { received: said, sent: heard } } as const;
const FEED = { status: 101, messages: { sent: heard } } as const;
type Talk = Conversation<z.infer<typeof said>, unknown>;

const LIMIT = 3;
const HANDSHAKE = {
  host: 'a',
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};
const ORIGIN = 'https://app.example.com';
/** The running conversations, and what they last sent. */
const talks = { running: 0, sent: 0 };
const gate = new EventEmitter();

@Controller('talks')
class Talks {
  /** Answers each message. */
  @Get()
  @Operation({ summary: 'Talk', response: TALK })
  talk(@UserId() user: string): Talk {
    return async ({ messages, send }) => {
      for await (const { text } of messages) await send({ text, user, request: currentContext()?.requestId });
    };
  }

  @Get('public')
  @Operation({ summary: 'Talk', response: TALK, access: 'public' })
  talkPublicly(): Talk {
    return wait;
  }

  @Get('admin')
  @Operation({ summary: 'Talk', response: TALK, access: { role: 'support' } })
  talkAsSupport(): Talk {
    return wait;
  }

  @Get('feed')
  @Operation({ summary: 'Listen', response: FEED })
  feed(): Talk {
    return wait;
  }

  /** Sends without end, and waits for the client. */
  @Get('patient')
  @Operation({ summary: 'Much data', response: FEED })
  patient(): Talk {
    return async ({ send, signal }) => {
      for (talks.sent = 0; !signal.aborted; talks.sent += 1) await send({ text: 'x'.repeat(10_000) });
    };
  }

  /** Sends without end, and never waits. */
  @Get('hasty')
  @Operation({ summary: 'Much data', response: FEED })
  hasty(): Talk {
    return async ({ send, signal }) => {
      while (!signal.aborted) {
        void send({ text: 'x'.repeat(10_000) }).catch(() => undefined);
        await new Promise(setImmediate);
      }
    };
  }

  /** Reads one message, and then no more. */
  @Get('deaf')
  @Operation({ summary: 'Reads little', response: TALK })
  deaf(): Talk {
    return async ({ messages }) => {
      await messages[Symbol.asyncIterator]().next();
      await once(gate, 'open');
    };
  }

  @Get('brief')
  @Operation({ summary: 'Ends', response: FEED })
  brief(): Talk {
    return ({ send }) => send({ text: 'bye' });
  }

  @Get('broken')
  @Operation({ summary: 'Fails', response: FEED })
  broken(): Talk {
    return () => Promise.reject(new Error('the handler is broken'));
  }

  @Get('missing')
  @Operation({ summary: 'Refuses', response: FEED, problems: ['not-found'] })
  missing(): Talk {
    return () => Promise.reject(new Problem('not-found'));
  }

  @Get('refused/:id')
  @Operation({ summary: 'Refuses', response: FEED, problems: ['not-found'] })
  refused(@Param({ schema: z.object({ id: z.uuid() }) }) { id }: { id: string }): Promise<Talk> {
    return Promise.reject(new Problem('not-found', { detail: id }));
  }

  @Get('plain')
  @Operation({ summary: 'No socket', response: { status: 200, schema: z.object({}).meta({ id: 'Plain' }) } })
  plain() {
    return {};
  }
}
@Module({ controllers: [Talks] })
class TalksModule {}

async function wait({ signal }: { signal: AbortSignal }): Promise<void> {
  talks.running += 1;
  await once(signal, 'abort');
  talks.running -= 1;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5);
}

describe('a route that becomes a WebSocket', () => {
  const app = useTestApp(defineService(TalksModule), {
    configure: (config) => ({
      ...config,
      http: {
        ...config.http,
        streamsPerUser: LIMIT,
        requestTimeoutMs: 1_000,
        corsOrigins: [ORIGIN],
        rateLimitPerUser: 200,
      },
    }),
  });
  let base = '';
  let clients: SocketClient[] = [];
  let users = 0;
  beforeAll(async () => {
    await app.app.nest.listen(0, '127.0.0.1');
    base = `${await app.app.nest.getUrl()}/api/v1/talks`;
  });
  afterEach(async () => {
    for (const client of clients) client.disconnect();
    clients = [];
    await until(() => count() === 0);
  });
  const count = () => app.app.nest.getHttpAdapter().getInstance().webSockets.count;
  const lines = () => app.lines.filter(({ event }) => event === 'request');

  interface Handshake {
    readonly path?: string;
    readonly more?: Buffer;
    readonly headers?: Readonly<Record<string, string>>;
  }
  interface Opening {
    readonly sub?: string;
    readonly exp?: number;
    readonly headers?: Record<string, string>;
  }
  // Each has its own user, so that no test uses up the limit of another.
  const open = async (path = '', { sub = `user_${(users += 1)}`, exp, headers }: Opening = {}) => {
    const token = await app.issuer.sign({ sub, ...(exp !== undefined && { exp }) });
    const client = await SocketClient.connect(`${base}${path}`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    clients.push(client);
    return client;
  };
  const refusal = async (opened: Promise<SocketClient>): Promise<RefusedSocket> => {
    const error = await opened.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof RefusedSocket) return error;
    throw new Error('the handshake was not refused', { cause: error });
  };

  it('receives and sends messages in the context of its request, with one access line', async () => {
    const client = await open('', { sub: 'user_a', headers: { 'x-request-id': 'request-of-the-socket-1' } });
    for (const text of ['a', 'b', 'c']) client.send({ text });
    const request = 'request-of-the-socket-1';
    expect(await client.waitFor(3)).toEqual(['a', 'b', 'c'].map((text) => ({ text, user: 'user_a', request })));
    client.socket.close(1000);
    await until(() => lines().length > 0);
    expect(lines()).toEqual([
      expect.objectContaining({
        status_code: 101,
        close_code: 1000,
        user: 'user_a',
        route: '/api/v1/talks',
        request_id: request,
      }),
    ]);
  });

  /** Sends a handshake with these bytes behind it, and reads until the text has come. */
  const shake = async (text: string, { path = '', more = Buffer.alloc(0), headers = {} }: Handshake = {}) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    const fields = { ...HANDSHAKE, authorization: `Bearer ${await app.issuer.sign()}`, ...headers };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(Buffer.concat([Buffer.from(`GET /api/v1/talks${path} HTTP/1.1\r\n${lines.join('')}\r\n`), more]));
    let received = '';
    for await (const chunk of socket.setEncoding('latin1')) {
      received += chunk as string;
      if (received.includes(text)) break;
    }
    return received;
  };

  it('reads a message that arrives with the request', async () => {
    const more = Buffer.from([0x81, 0x8c, 0, 0, 0, 0, ...Buffer.from('{"text":"a"}')]);
    expect(await shake('"user":"user_1"', { more })).toMatch(/^HTTP\/1\.1 101 .*"text":"a","user":"user_1"/s);
  });

  it.each([
    ['version', '7'],
    ['key', 'a'],
    ['protocol', ','],
  ])('refuses a handshake with another %s', async (name, value) => {
    const response = await shake('}', { headers: { [`sec-websocket-${name}`]: value } });
    expect(response).toMatch(/^HTTP\/1\.1 426 .*sec-websocket-version: 13.*"code":"upgrade-required"/s);
  });

  it.each<[string, number, string, string, (token: string) => Record<string, string>]>([
    ['no token', 401, 'unauthenticated', '', () => ({ authorization: '' })],
    ['a missing role', 403, 'forbidden', '/admin', () => ({})],
    ['an unknown address', 404, 'not-found', '/elsewhere/entirely', () => ({})],
    ['a refusal of its handler', 404, 'not-found', `/refused/${crypto.randomUUID()}`, () => ({})],
    ['an invalid parameter', 422, 'validation-failed', '/refused/1', () => ({})],
    ['a page of another origin', 403, 'forbidden', '', () => ({ origin: 'https://evil.example.com' })],
    ['an origin that cannot be read', 403, 'forbidden', '', () => ({ origin: 'null' })],
    [
      'a token as a protocol that is invalid',
      401,
      'unauthenticated',
      '',
      () => ({ authorization: '', 'sec-websocket-protocol': 'json, bearer.a.b.c' }),
    ],
  ])('refuses %s with a problem, and closes the connection', async (_, status, code, path, change) => {
    const token = await app.issuer.sign();
    const { authorization = `Bearer ${token}`, ...rest } = change(token);
    const headers = { ...(authorization && { authorization }), ...rest };
    const refused = await refusal(SocketClient.connect(`${base}${path}`, { headers }));
    expect([refused.status, refused.body['code']]).toEqual([status, code]);
    expect(refused.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(refused.headers.connection).toContain('close');
    expect(lines()).toEqual([expect.objectContaining({ status_code: status })]);
    expect(count()).toBe(0);
  });

  it('responds to a request without a handshake', async () => {
    for (const method of ['GET', 'HEAD'] as const) {
      const response = await app.request({ method, url: '/api/v1/talks', as: 'user_1' });
      expect([response.statusCode, response.headers['upgrade']]).toEqual([426, 'websocket']);
    }
    expect((await app.request({ method: 'POST', url: '/api/v1/talks', as: 'user_1' })).statusCode).toBe(405);
  });

  it.each(['h2c', 'websocket'])('leaves an upgrade to %s alone where no route asks for it', async (upgrade) => {
    const response = await shake('{}', { path: '/plain', headers: { upgrade } });
    expect(response).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('takes the token of a page from the protocols, of which it never accepts that one', async () => {
    const protocols = ['json', `bearer.${await app.issuer.sign({ sub: 'user_page' })}`];
    const client = await SocketClient.connect(base, { protocols, origin: ORIGIN });
    clients.push(client);
    expect(client.socket.protocol).toBe('json');
    client.send({ text: 'a' });
    expect(await client.waitFor(1)).toEqual([expect.objectContaining({ user: 'user_page' })]);
    client.disconnect();
    await until(() => lines().length > 0);
    expect(JSON.stringify(app.lines)).not.toContain(protocols[1]?.slice(-20));
  });

  it('takes a token from the protocols only for WebSockets', async () => {
    const headers = { 'sec-websocket-protocol': `json, bearer.${await app.issuer.sign()}` };
    expect((await app.request({ url: '/api/v1/talks/plain', headers })).statusCode).toBe(401);
  });

  it('admits pages of its own origin', async () => {
    const { host } = new URL(base);
    const client = await open('', { headers: { origin: `http://${host}` } });
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });

  it.each<[string, string | Buffer, number, RegExp]>([
    ['invalid JSON', '{"text":', 4400, /^malformed-request: The body is not valid JSON/],
    ['nothing', '', 4422, /^validation-failed: # /],
    ['a forbidden key', '{"__proto__":{"text":"a"}}', 4400, /forbidden key/],
    ['too deep', `${'['.repeat(100)}${']'.repeat(100)}`, 4413, /^body-too-large/],
    ['a text that is too long', '{"text":"aaaaaaaaaaaaaaaaaaaa"}', 4422, /^validation-failed: #\/text /],
    ['an unknown key with a long name', `{"text":"a","${'é'.repeat(200)}":1}`, 4422, /^validation-failed: #\/%C3%A9/],
    ['text that cannot be stored', '{"text":"a\\u0000"}', 4422, /#\/text contains characters that cannot be stored$/],
    ['bytes', Buffer.from('{"text":"a"}'), 1003, /^messages must be text$/],
    ['more than the limit of a body', `{"text":"${'a'.repeat(256 * 1024)}"}`, 1009, /^$/],
  ])('ends a connection that sends %s, and says why', async (_, message, code, reason) => {
    const client = await open();
    client.socket.send(message);
    const [closeCode, why] = await client.closed;
    expect([closeCode, why]).toEqual([code, expect.stringMatching(reason)]);
    expect(client.messages).toEqual([]);
    await until(() => lines().length > 0);
    // The library ends a connection with too long a message, and waits for no answer: an abnormal end.
    const logged = code === 1009 ? 1006 : code;
    expect(lines()).toEqual([expect.objectContaining({ status_code: 101, close_code: logged })]);
  });

  it('ends a connection that sends to a route which receives nothing', async () => {
    const client = await open('/feed');
    client.send({ text: 'a' });
    expect(await client.closed).toEqual([1003, 'this address receives no messages']);
    await until(() => talks.running === 0);
  });

  it('counts each message as a request of its user', async () => {
    const client = await open('', { sub: 'user_talkative' });
    for (let n = 0; n < 300; n += 1) client.send({ text: 'a' });
    expect(await client.closed).toEqual([4429, 'rate-limited']);
    // One was the handshake.
    expect(client.messages).toHaveLength(199);
    expect((await refusal(open('', { sub: 'user_talkative' }))).status).toBe(429);
  });

  it('shares the limit of open streams of a user, which a closed connection no longer counts for', async () => {
    const mine: SocketClient[] = [];
    for (let n = 0; n < LIMIT; n += 1) mine.push(await open('/feed', { sub: 'user_many' }));
    const refused = await refusal(open('', { sub: 'user_many' }));
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '10']);
    expect(await open('', { sub: 'user_else' })).toBeDefined();
    mine[0]?.disconnect();
    await until(() => count() === LIMIT);
    await open('', { sub: 'user_many' });
  });

  it('has the same limit for each address without a user', async () => {
    const connectPublicly = async () => clients.push(await SocketClient.connect(`${base}/public`));
    for (let n = 0; n < LIMIT; n += 1) await connectPublicly();
    expect((await refusal(connectPublicly() as never)).status).toBe(429);
  });

  it('outlives the time limit of requests', async () => {
    const client = await open();
    await sleep(2 * app.config.http.requestTimeoutMs);
    client.send({ text: 'late' });
    expect(await client.waitFor(1)).toEqual([expect.objectContaining({ text: 'late' })]);
  });

  it('ends when the token expires', async () => {
    // A token is accepted for 30 s after its end.
    const client = await open('/feed', { exp: Math.floor(Date.now() / 1_000) - 28 });
    expect(await client.closed).toEqual([4401, 'unauthenticated: the token has expired']);
    await until(() => talks.running === 0);
  });

  it('tells its handler when the client leaves, each of 100 times', async () => {
    for (let round = 0; round < 50; round += 1) {
      const two = await Promise.all([open('/feed'), open('/feed')]);
      two[0].disconnect();
      two[1].socket.close();
      await until(() => count() === 0 && talks.running === 0);
    }
    expect(lines()).toHaveLength(100);
  });

  it('closes when its handler is done, after what it sent', async () => {
    const client = await open('/brief');
    expect(await client.closed).toEqual([1000, '']);
    expect(client.messages).toEqual([{ text: 'bye' }]);
  });

  it('ends after an error of the handler, which the log has and the client has not', async () => {
    const client = await open('/broken', { headers: { 'x-request-id': 'request-of-the-socket-2' } });
    expect(await client.closed).toEqual([1011, 'internal-error']);
    const failed = app.lines.filter(({ event }) => event === 'sockets.failed');
    expect(failed).toEqual([expect.objectContaining({ level: 'error', request_id: 'request-of-the-socket-2' })]);
  });

  it('ends with the code of a problem that the handler throws', async () => {
    expect(await (await open('/missing')).closed).toEqual([4404, 'not-found']);
    expect(app.lines.some(({ event }) => event === 'sockets.failed')).toBe(false);
  });

  it('waits for a client that reads slowly', async () => {
    const client = await open('/patient');
    await client.waitFor(1);
    client.socket.pause();
    let last = -1;
    // The buffers of the sockets fill, and then nothing is sent.
    for (let calm = 0; calm < 20; await sleep(10)) {
      calm = talks.sent === last ? calm + 1 : 0;
      last = talks.sent;
    }
    client.socket.resume();
    await until(() => talks.sent > last + 100);
  });

  it('ends a connection for which too much waits', async () => {
    const client = await open('/hasty');
    client.socket.pause();
    await until(() => count() === 0);
    client.socket.resume();
    await client.closed;
    await until(() => lines().length > 0);
    expect(lines()).toEqual([expect.objectContaining({ close_code: 1013 })]);
  });

  it('does not read a client faster than its handler', async () => {
    const client = await open('/deaf');
    for (let n = 0; n < 30_000; n += 1) client.socket.send(JSON.stringify({ text: 'a' }).padEnd(1_000));
    await until(() => gate.listenerCount('open') > 0);
    await sleep(200);
    // Most of the 30 MB wait in the client.
    expect(client.socket.bufferedAmount).toBeGreaterThan(15_000_000);
    gate.emit('open');
    expect(await client.closed).toEqual([1000, '']);
  });

  it('counts in no duration, and in the number of open WebSockets', async () => {
    await open('/feed');
    const text = await app.app.metrics.registry.metrics();
    expect(text).toContain('http_server_websockets 1');
    expect(text).not.toContain('http_response_status_code="101"');
  });

  it('stands in the document', () => {
    const document = createOpenApi({ ...defineService(TalksModule), version: '1', prefix: '' }) as {
      paths: Record<string, { get: { 'x-messages': object; responses: object } }>;
    };
    const { 'x-messages': messages, responses = {} } = document.paths['/talks']?.get ?? {};
    expect(messages).toEqual({
      received: { $ref: '#/components/schemas/Said' },
      sent: { $ref: '#/components/schemas/Heard' },
    });
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['101', '401', '403', '426', '429']));
  });

  it.each([
    ['POST', Post, 101],
    ['another status', Get, 200],
  ] as const)('cannot be declared with %s', (_, method, status) => {
    class Bad {
      @method()
      @Operation({ summary: 'Bad', response: { ...TALK, status } })
      talk() {
        return wait;
      }
    }
    Controller('bad')(Bad);
    @Module({ controllers: [Bad] })
    class BadModule {}
    expect(() => createOpenApi({ ...defineService(BadModule), version: '1', prefix: '' })).toThrow(
      'expected @Get and status 101',
    );
  });
});
