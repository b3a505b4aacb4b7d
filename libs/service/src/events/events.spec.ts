import { EventEmitter, on, once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, Res, Sse } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { createApp } from '../app/create-app.js';
import { currentContext, type EventSubscriber } from '../context/request-context.js';
import { createOpenApi } from '../openapi/create-openapi.js';
import { Operation } from '../openapi/operation.js';
import { Problem } from '../problems/problem.js';
import { EventClient } from '../testing/event-client.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import type { ServerEvent } from './event-stream.js';
import { Subscriber } from './subscriber.decorator.js';
import { defineService } from '../testing/define-service.fixture.js';

const EVENTS = { status: 200, events: z.object({ n: z.number() }).meta({ id: 'Counted' }) } as const;
const LIMIT = 3;

/** The running producers, and all that have begun. */
const producers = { running: 0, begun: 0, produced: 0, brimming: 0, endedIn: '' };
const news = new EventEmitter().setMaxListeners(0);

@Controller('events')
class Events {
  /** Waits for news until it is told to stop. */
  @Get()
  @Operation({ summary: 'Follow the news', response: EVENTS })
  follow(@Subscriber() subscriber: EventSubscriber) {
    return follow(subscriber);
  }

  @Get('public')
  @Operation({ summary: 'Follow the news', response: EVENTS, access: 'public' })
  followPublicly(@Subscriber() subscriber: EventSubscriber) {
    return follow(subscriber);
  }

  @Get('fast')
  @Operation({ summary: 'Much data', response: EVENTS })
  async *fast() {
    try {
      for (let n = 0; ; n += 1) {
        producers.produced = n;
        // Gives way to others, as a producer that reads from a database does.
        await new Promise(setImmediate);
        yield { data: { n, text: 'x'.repeat(1_000), request: currentContext()?.requestId } };
      }
    } finally {
      producers.endedIn = currentContext()?.requestId ?? '';
    }
  }

  /** Fills the socket of a client that does not read, so that a few bytes wait in the response. */
  @Get('brimming')
  @Operation({ summary: 'As much as fits', response: EVENTS })
  async *brimming(@Subscriber() { signal }: EventSubscriber, @Res({ passthrough: true }) reply: FastifyReply) {
    for (let n = 0; (reply.raw.socket?.writableLength ?? 0) === 0; n += 1) {
      await new Promise(setImmediate);
      yield { data: { n, text: 'x'.repeat(1_000) } };
    }
    producers.brimming += 1;
    await once(news, 'never', { signal });
  }

  @Get('resumed')
  @Operation({ summary: 'Three numbers after the last one', response: EVENTS })
  async *resumed(@Subscriber() { lastEventId }: EventSubscriber) {
    const last = Number(lastEventId ?? 0);
    for (const n of [last + 1, last + 2, last + 3]) {
      await sleep(1);
      yield { id: String(n), event: 'number', data: { n } };
    }
  }

  @Get('refused')
  @Operation({ summary: 'Nothing', response: EVENTS, problems: ['not-found'] })
  refused(): Promise<AsyncIterable<ServerEvent>> {
    return Promise.reject(new Problem('not-found'));
  }

  @Get('stuck')
  @Operation({ summary: 'Never begins', response: EVENTS })
  stuck(): Promise<AsyncIterable<ServerEvent>> {
    return new Promise(() => undefined);
  }

  @Get('broken')
  @Operation({ summary: 'Fails after an event', response: EVENTS })
  async *broken() {
    yield { data: { n: 1 } };
    await sleep(1);
    throw new Error('the producer is broken');
  }

  @Get('injected')
  @Operation({ summary: 'An id with a line end', response: EVENTS })
  async *injected() {
    await sleep(1);
    yield { id: '1\ndata: {"n":666}', data: { n: 1 } };
  }

  @Get('deaf')
  @Operation({ summary: 'Ignores the signal', response: EVENTS })
  async *deaf() {
    yield { data: { n: 1 } };
    await new Promise(() => undefined);
  }

  @Get('plain')
  @Operation({ summary: 'No events', response: { status: 200, schema: z.object({}).meta({ id: 'Plain' }) } })
  plain() {
    return {};
  }
}
@Module({ controllers: [Events] })
class EventsModule {}

async function* follow({ signal }: EventSubscriber): AsyncGenerator<ServerEvent> {
  producers.running += 1;
  producers.begun += 1;
  try {
    for await (const [n] of on(news, 'news', { signal })) yield { data: { n: n as number } };
  } finally {
    producers.running -= 1;
  }
}

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5);
}

describe('a route that streams events', () => {
  const app = useTestApp(defineService(EventsModule), {
    configure: (config) => ({
      ...config,
      http: { ...config.http, streamsPerUser: LIMIT, requestTimeoutMs: 1_000, rateLimitPerUser: 100_000 },
    }),
  });
  let base = '';
  let clients: EventClient[] = [];
  beforeAll(async () => {
    await app.app.nest.listen(0, '127.0.0.1');
    base = `${await app.app.nest.getUrl()}/api/v1/events`;
  });
  afterEach(async () => {
    for (const client of clients) client.disconnect();
    clients = [];
    await until(() => count() === 0);
  });
  const count = () => app.app.nest.getHttpAdapter().getInstance().eventStreams.count;
  const lines = () => app.lines.filter(({ event }) => event === 'request');

  const open = async (
    path = '',
    { sub = 'user_1', headers = {}, exp }: { sub?: string; headers?: Record<string, string>; exp?: number } = {},
  ) => {
    const token = await app.issuer.sign({ sub, ...(exp !== undefined && { exp }) });
    const client = await EventClient.connect(`${base}${path}`, { authorization: `Bearer ${token}`, ...headers });
    clients.push(client);
    return client;
  };
  const isEvent = (block: string) => block.includes('data: ');

  it('sends each event when it happens, and a time to wait before a reconnection', async () => {
    const client = await open();
    expect(client).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        connection: 'close',
      },
    });
    expect(await client.waitFor(() => true)).toMatch(/^retry: [12]\d{3}$/);
    await until(() => producers.running === 1);
    news.emit('news', 1);
    await client.waitFor(isEvent);
    expect(client.data).toEqual([{ n: 1 }]);
  });

  it('ends when the producer ends, with one access line', async () => {
    const client = await open('/resumed');
    await client.ended;
    expect(client.isComplete).toBe(true);
    expect(client.blocks.slice(1)).toEqual([1, 2, 3].map((n) => `id: ${n}\nevent: number\ndata: {"n":${n}}`));
    await until(() => lines().length > 0);
    expect(lines()).toEqual([
      expect.objectContaining({ status_code: 200, user: 'user_1', route: '/api/v1/events/resumed' }),
    ]);
  });

  it.each([
    ['gives the handler the last event id', '7', [{ n: 8 }, { n: 9 }, { n: 10 }]],
    ['ignores an id that no event can have', 'a b', [{ n: 1 }, { n: 2 }, { n: 3 }]],
  ])('%s', async (_, id, data) => {
    const client = await open('/resumed', { headers: { 'last-event-id': id } });
    await client.ended;
    expect(client.data).toEqual(data);
  });

  it('requires a token, and responds with a problem before the stream begins', async () => {
    const client = await EventClient.connect(base);
    expect([client.status, client.headers['content-type']]).toEqual([401, 'application/problem+json; charset=utf-8']);
    await client.ended;
    expect((await open('/refused')).status).toBe(404);
    expect((await open('/stuck')).status).toBe(503);
    expect(count()).toBe(0);
  });

  it('outlives the time limit of requests', async () => {
    const client = await open();
    await until(() => producers.running === 1);
    await sleep(2 * app.config.http.requestTimeoutMs);
    news.emit('news', 2);
    await client.waitFor(isEvent);
    expect(client.data).toEqual([{ n: 2 }]);
  });

  it('stops its producer when the client disconnects, each of 200 times', async () => {
    const before = producers.begun;
    const timers = countTimers();
    for (let round = 0; round < 100; round += 1) {
      const two = await Promise.all([open(), open('', { sub: 'user_2' })]);
      // Some leave before the producer has begun, some after an event.
      if (round % 2 === 0) await Promise.all(two.map((client) => client.waitFor(() => true)));
      if (round % 4 === 0) {
        await until(() => producers.running === 2);
        news.emit('news', round);
        await Promise.all(two.map((client) => client.waitFor(isEvent)));
      }
      for (const client of two) client.disconnect();
      await until(() => count() === 0);
    }
    await until(() => producers.running === 0);
    expect(producers.begun - before).toBeLessThanOrEqual(200);
    expect(news.listenerCount('news')).toBe(0);
    // No timer of a stream is left; some belong to the test.
    expect(countTimers() - timers).toBeLessThan(20);
    await until(() => lines().length === 200);
    expect(lines().every(({ status_code }) => status_code === 200)).toBe(true);
  });

  it('has a limit of open streams for each user, which a closed stream no longer counts for', async () => {
    const mine = await Promise.all(Array.from({ length: LIMIT }, () => open()));
    const refused = await open();
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '10']);
    expect((await open('', { sub: 'user_2' })).status).toBe(200);
    expect((await open('/plain')).status).toBe(200);
    mine[0]?.disconnect();
    await until(() => count() === LIMIT);
    expect((await open()).status).toBe(200);
  });

  it('has the same limit for each address without a user', async () => {
    const connectPublicly = async () => {
      const client = await EventClient.connect(`${base}/public`);
      clients.push(client);
      return client.status;
    };
    for (let n = 0; n < LIMIT; n += 1) expect(await connectPublicly()).toBe(200);
    expect(await connectPublicly()).toBe(429);
    expect((await open()).status).toBe(200);
  });

  it('asks a producer for no more than a slow client reads', async () => {
    const client = await open('/fast');
    await client.waitFor(isEvent);
    client.pause();
    let last = -1;
    // The buffers of the sockets fill, and then nothing is produced.
    for (let calm = 0; calm < 20; await sleep(10)) {
      calm = producers.produced === last ? calm + 1 : 0;
      last = producers.produced;
    }
    const atRest = producers.produced;
    await sleep(100);
    expect(producers.produced).toBe(atRest);
    client.resume();
    await until(() => producers.produced > atRest + 100);
    const requests = new Set(client.data.map((data) => (data as { request: string }).request));
    // Also when its socket asks for more, a producer runs in the context of its request.
    expect([...requests]).toEqual([client.headers['x-request-id']]);
  });

  it('ends when the token expires', async () => {
    // A token is accepted for 30 s after its end.
    const client = await open('', { exp: Math.floor(Date.now() / 1_000) - 28 });
    expect(client.status).toBe(200);
    await client.ended;
    expect(client.isComplete).toBe(true);
    await until(() => producers.running === 0);
  });

  it('stays open for a token that expires in the distant future', async () => {
    const client = await open('', { exp: 32_503_680_000 });
    await until(() => producers.running === 1);
    news.emit('news', 3);
    await client.waitFor(isEvent);
    expect(client.data).toEqual([{ n: 3 }]);
  });

  it('ends after an error of the producer, which the log has and the client has not', async () => {
    const client = await open('/broken');
    await client.ended;
    expect(client.data).toEqual([{ n: 1 }]);
    expect(client.blocks.join()).not.toContain('broken');
    expect(app.lines).toContainEqual(
      expect.objectContaining({ event: 'events.failed', level: 'error', request_id: client.headers['x-request-id'] }),
    );
  });

  it('refuses an id that would begin another field', async () => {
    const client = await open('/injected');
    await client.ended;
    expect(client.data).toEqual([]);
    expect(app.lines).toContainEqual(expect.objectContaining({ event: 'events.failed' }));
  });

  it('closes a stream whose producer ignores the signal', async () => {
    const client = await open('/deaf');
    await client.waitFor(isEvent);
    client.disconnect();
    await until(() => count() === 0);
  });

  it('opens no stream for HEAD', async () => {
    const before = producers.begun;
    const response = await app.request({ method: 'HEAD', url: '/api/v1/events', as: 'user_1' });
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream']);
    await until(() => count() === 0);
    expect(producers.begun).toBe(before);
  });

  it('counts requests that wait behind a stream on its connection until the connection closes', async () => {
    const { port } = new URL(base);
    const socket = connect(Number(port), '127.0.0.1');
    const authorization = `Bearer ${await app.issuer.sign()}`;
    for (const path of ['', '/stuck', ''])
      socket.write(`GET /api/v1/events${path} HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\n\r\n`);
    await until(() => count() === 3);
    socket.destroy();
    await until(() => count() === 0);
    await until(() => producers.running === 0);
  });

  it('counts in no duration, and in the number of open streams', async () => {
    await open();
    const text = await app.app.metrics.registry.metrics();
    expect(text).toContain('http_server_event_streams 1');
    expect(text).not.toContain('http_route="/api/v1/events/resumed",http_response_status_code="200"');
  });

  it('leaves other requests alone, however many are open', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, n) => open('', { sub: `user_${n % 30}` })));
    expect(count()).toBe(60);
    expect((await open('/plain')).status).toBe(200);
    expect(
      app.app.nest.get<{ figures: () => { waiting: number } }>((await import('../data/database.js')).Database).figures()
        .waiting,
    ).toBe(0);
  });

  it('stands in the document', () => {
    const document = createOpenApi({ ...defineService(EventsModule), version: '1', prefix: '' }) as {
      paths: Record<
        string,
        { get: { parameters: { name: string }[]; responses: Record<string, { content: object }> } }
      >;
    };
    const { parameters, responses } = document.paths['/events']?.get ?? {};
    expect(parameters?.map(({ name }) => name)).toEqual(['Last-Event-ID']);
    expect(responses?.['200']?.content).toEqual({
      'text/event-stream': { schema: { $ref: '#/components/schemas/Counted' } },
    });
    expect(Object.keys(responses ?? {})).toContain('429');
  });

  it('does not use the decorator of Nest, whose response would end at the time limit of requests', () => {
    class Sent {
      @Sse()
      @Operation({ summary: 'Bad', response: EVENTS })
      send() {
        return undefined;
      }
    }
    Controller('sent')(Sent);
    @Module({ controllers: [Sent] })
    class SentModule {}
    expect(() => createOpenApi({ ...defineService(SentModule), version: '1', prefix: '' })).toThrow(
      'Sent.send: uses @Sse',
    );
  });

  it('must be GET', async () => {
    @Controller('bad')
    class Bad {
      @Post()
      @Operation({ summary: 'Bad', response: { ...EVENTS, status: 201 } })
      post() {
        return undefined;
      }
    }
    @Module({ controllers: [Bad] })
    class BadModule {}
    const { config, logger, lifecycle, version } = app;
    const starting = createApp(config, { definition: defineService(BadModule), logger, lifecycle, version });
    await expect(starting).rejects.toThrow('POST /api/v1/bad: streams events; expected GET');
  });
});

describe('a process with open streams', () => {
  const app = useTestApp(defineService(EventsModule));

  it('ends them when it drains, also those of clients that do not read, and refuses no new one', async () => {
    await app.app.nest.listen(0, '127.0.0.1');
    const base = `${await app.app.nest.getUrl()}/api/v1/events`;
    const headers = { authorization: `Bearer ${await app.issuer.sign()}` };
    const open = (path: string) => EventClient.connect(`${base}${path}`, headers);
    const [client, full, brimming] = await Promise.all([open(''), open('/fast'), open('/brimming')]);
    full.pause();
    brimming.pause();
    await until(() => producers.running === 1 && producers.brimming === 1);
    app.lifecycle.drain();
    await client.ended;
    expect(client.isComplete).toBe(true);
    await until(() => app.app.nest.getHttpAdapter().getInstance().eventStreams.count === 0);
    expect(producers.running).toBe(0);
    const lines = app.lines.filter(({ event }) => event === 'request').map(({ path }) => path);
    expect(lines.sort()).toEqual(['/api/v1/events', '/api/v1/events/brimming', '/api/v1/events/fast']);
    expect(producers.endedIn).toBe(full.headers['x-request-id']);
    const late = await open('');
    await late.ended;
    expect([late.status, late.isComplete, late.headers.connection]).toEqual([200, true, 'close']);
    expect(late.blocks).toEqual([expect.stringMatching(/^retry: /)]);
    for (const slow of [full, brimming]) slow.disconnect();
  });

  it('has closed only when each has its line in the log', async () => {
    const { config, logger, lifecycle, version, definition } = app;
    const { nest } = await createApp(config, { definition, logger, lifecycle, version });
    await nest.listen(0, '127.0.0.1');
    const url = `${await nest.getUrl()}/api/v1/events/fast`;
    const client = await EventClient.connect(url, { authorization: `Bearer ${await app.issuer.sign()}` });
    client.pause();
    // Later than the last byte that fits into the buffers of a client that reads nothing.
    for (let before = -1; before !== producers.produced; await sleep(100)) before = producers.produced;
    await nest.getHttpAdapter().getInstance().close();
    expect(app.lines.filter(({ event }) => event === 'request')).toMatchObject([{ path: '/api/v1/events/fast' }]);
    client.disconnect();
    await nest.close();
  });
});
