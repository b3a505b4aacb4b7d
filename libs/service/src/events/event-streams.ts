import type { Lifecycle } from '@airlock/health';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { runInContext } from '../context/request-context.js';
import type { RecordResponse } from '../http/access-log.js';
import { Problem } from '../problems/problem.js';
import type { Observer } from '../telemetry/observer.js';
import { EVENT_WORD, EventStream, type ServerEvent } from './event-stream.js';

export interface EventStreamsOptions {
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly observer: Observer | undefined;
  readonly recordResponse: RecordResponse;
  /** How many streams a user may have open in this process; without a user, an address. */
  readonly limit: number;
  /** The time limit of a handler, up to the stream that it returns. */
  readonly requestTimeoutMs: number;
  readonly heartbeatMs?: number;
}

/** Shorter than the idle timeout of any proxy. */
const HEARTBEAT_MS = 15_000;
/** A stream ends at the latest after this time, so that clients spread over new processes, and revoked keys count. */
const LONGEST_MS = 60 * 60 * 1_000;
/** The largest value of a timer, in place of the time limit of other requests. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;
/** How long the last bytes of a stream that is ended may wait for a slow client, which may never read them. */
const FLUSH_MS = 1_000;
const RETRY = { 'retry-after': '10' };

interface Subscription {
  readonly reply: FastifyReply;
  readonly controller: AbortController;
  stream?: EventStream;
}

/** Opens the streams of server-sent events of a process, and ends them. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #open = new Set<Subscription>();
  readonly #counts = new Map<string, number>();

  /** Install this before the routes. */
  constructor(server: FastifyInstance, options: EventStreamsOptions) {
    this.#options = options;
    server.addHook('onRoute', (route) => {
      if (!route.config?.streamsEvents) return;
      const method = [route.method].flat().join(', ');
      if (method !== 'GET' && method !== 'HEAD')
        throw new Error(`${method} ${route.url}: streams events; expected GET`);
      route.handlerTimeout = NO_TIMEOUT_MS;
    });
    options.lifecycle.onDrain(() => this.#endAll());
    server.addHook('preClose', (done) => {
      this.#endAll();
      done();
    });
  }

  /** The number of open streams. */
  get count(): number {
    return this.#open.size;
  }

  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs;
  }

  /**
   * Counts the stream of a request until its connection closes, and gives the request its `subscriber`.
   *
   * @throws Problem rate-limited
   */
  subscribe(request: FastifyRequest, reply: FastifyReply): Subscription {
    const { context, raw, ip, headers } = request;
    const release = this.#take(context.userId === undefined ? `address ${ip}` : `user ${context.userId}`);
    const subscription: Subscription = { reply, controller: new AbortController() };
    this.#open.add(subscription);
    const lifetimeMs = Math.min(LONGEST_MS, (context.expiresAtMs ?? Infinity) - Date.now());
    const timer = setTimeout(() => end(subscription), lifetimeMs).unref();
    const close = () => {
      if (!this.#open.delete(subscription)) return;
      clearTimeout(timer);
      release();
      subscription.controller.abort();
      subscription.stream?.destroy();
      this.#recordUnfinished(request, reply);
    };
    reply.raw.once('close', close);
    // The client may have left while its token was verified.
    if (raw.socket.destroyed) close();
    if (this.#options.lifecycle.isDraining) end(subscription);
    context.subscriber = {
      lastEventId: readLastEventId(headers['last-event-id']),
      signal: subscription.controller.signal,
    };
    return subscription;
  }

  /** Begins the response. */
  send(subscription: Subscription, events: AsyncIterable<ServerEvent>, request: FastifyRequest): EventStream {
    const { logger, observer, heartbeatMs = HEARTBEAT_MS } = this.#options;
    const route = request.routeOptions.url ?? 'none';
    const stream = new EventStream(events, {
      heartbeatMs,
      onError: (error) => {
        // The producer was told to stop, and may say so.
        if (subscription.controller.signal.aborted) return;
        logger.error({ error }, 'events.failed');
        observer?.onError?.(error, { requestId: request.context.requestId, route });
      },
    });
    subscription.stream = stream;
    request.context.isStream = true;
    if (subscription.controller.signal.aborted) end(subscription);
    return stream;
  }

  /** Fastify reports a response only if its last byte was sent. Most streams end because their client left. */
  #recordUnfinished(request: FastifyRequest, reply: FastifyReply): void {
    if (reply.raw.writableFinished || reply.raw.errored) return;
    runInContext(request.context, () => this.#options.recordResponse(request, reply));
  }

  #endAll(): void {
    for (const subscription of this.#open) end(subscription);
  }

  #take(caller: string): () => void {
    const { limit } = this.#options;
    const count = this.#counts.get(caller) ?? 0;
    if (count >= limit) {
      const detail = `No more than ${limit} event streams may be open at once.`;
      throw new Problem('rate-limited', { detail, headers: RETRY });
    }
    this.#counts.set(caller, count + 1);
    return () => {
      const left = (this.#counts.get(caller) ?? 0) - 1;
      if (left > 0) this.#counts.set(caller, left);
      else this.#counts.delete(caller);
    };
  }
}

function end({ controller, reply, stream }: Subscription): void {
  controller.abort();
  // Without a stream the handler is still at work, and gets its time.
  if (!stream) return;
  stream.finish();
  setTimeout(() => reply.raw.destroy(), FLUSH_MS).unref();
}

/** An id in another form was never sent. */
function readLastEventId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && EVENT_WORD.test(header) ? header : undefined;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Responds with server-sent events. */
    readonly streamsEvents?: boolean;
  }
  interface FastifyInstance {
    eventStreams: EventStreams;
  }
}
