import type { Lifecycle } from '@airlock/health';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { OpenStreams } from '../http/open-streams.js';
import type { Observer } from '../telemetry/observer.js';
import { EVENT_WORD, EventStream, type ServerEvent } from './event-stream.js';

export interface EventStreamsOptions {
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly observer: Observer | undefined;
  readonly streams: OpenStreams;
  /** The time limit of a handler, up to the stream that it returns. */
  readonly requestTimeoutMs: number;
  readonly heartbeatMs?: number;
}

/** Shorter than the idle timeout of any proxy. */
const HEARTBEAT_MS = 15_000;
/** The largest value of a timer, in place of the time limit of other requests. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;
/** How long the last bytes of a stream that is ended may wait for a slow client, which may never read them. */
const FLUSH_MS = 1_000;

interface Subscription {
  readonly reply: FastifyReply;
  readonly controller: AbortController;
  stream?: EventStream;
}

/** Opens the streams of server-sent events of a process, and ends them. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #open = new Set<Subscription>();

  /** Install this before the routes. */
  constructor(server: FastifyInstance, options: EventStreamsOptions) {
    this.#options = options;
    server.addHook('onRoute', (route) => {
      if (route.config?.streams !== 'events') return;
      const method = [route.method].flat().join(', ');
      if (method !== 'GET' && method !== 'HEAD')
        throw new Error(`${method} ${route.url}: streams events; expected GET`);
      route.handlerTimeout = NO_TIMEOUT_MS;
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
    const { context, raw, headers } = request;
    const subscription: Subscription = { reply, controller: new AbortController() };
    const release = this.#options.streams.open(request, () => end(subscription));
    this.#open.add(subscription);
    const close = () => {
      if (!this.#open.delete(subscription)) return;
      subscription.controller.abort();
      subscription.stream?.destroy();
      release();
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
    /** Responds with server-sent events, or becomes a WebSocket. */
    readonly streams?: 'events' | 'messages';
  }
  interface FastifyInstance {
    eventStreams: EventStreams;
  }
}
