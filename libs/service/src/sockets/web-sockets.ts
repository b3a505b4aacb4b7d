import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { runInContext } from '../context/request-context.js';
import { translateError } from '../failures/translate-error.js';
import type { RecordResponse } from '../http/access-log.js';
import { BODY_LIMIT_BYTES } from '../http/body-parser.js';
import type { OpenStreams, StreamEnd } from '../http/open-streams.js';
import type { RateLimits } from '../http/rate-limits.js';
import { Problem } from '../problems/problem.js';
import type { Observer } from '../telemetry/observer.js';
import { SocketConnection, type Conversation, type MessageSchemas } from './connection.js';

export interface WebSocketsOptions {
  readonly logger: Logger;
  readonly observer: Observer | undefined;
  readonly recordResponse: RecordResponse;
  readonly streams: OpenStreams;
  readonly limits: RateLimits;
  /** The pages that may connect; `*` means every page. */
  readonly origins: readonly string[];
  readonly heartbeatMs?: number;
}

/** A request whose socket is not read as HTTP any more. */
interface Upgrade {
  readonly socket: Duplex;
  /** The bytes that arrived after the request. */
  readonly head: Buffer;
}

/** The name that a client gives if it names any. Browsers pass their token beside it. */
const PROTOCOL = 'json';
/** Shorter than the idle timeout of any proxy. */
const HEARTBEAT_MS = 15_000;
const SWITCHING = 101;
const HANDSHAKE = { connection: 'close, upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };

/** Opens the WebSockets of a process, and ends them. A request for one passes the pipeline like every other. */
export class WebSockets {
  readonly #options: WebSocketsOptions;
  readonly #upgrades = new WeakMap<IncomingMessage, Upgrade>();
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    handleProtocols: (offered) => offered.has(PROTOCOL) && PROTOCOL,
    maxPayload: BODY_LIMIT_BYTES,
    perMessageDeflate: false,
  });
  readonly #open = new Set<WebSocket>();

  /** Install this before the routes. */
  constructor(instance: FastifyInstance, options: WebSocketsOptions) {
    const { server } = instance;
    this.#options = options;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrades.set(request, { socket, head });
      server.emit('request', request, createResponse(request, socket));
    });
    // Emitted within `handleUpgrade`, in place of a response without a problem.
    this.#server.on('wsClientError', (cause: Error) => {
      throw new Problem('upgrade-required', { detail: cause.message, headers: HANDSHAKE, cause });
    });
  }

  /** The number of open connections. */
  get count(): number {
    return this.#open.size;
  }

  /**
   * Counts the connection that a request asks for until its socket closes. The result opens it.
   *
   * @throws Problem upgrade-required, forbidden, rate-limited
   */
  prepare(request: FastifyRequest, reply: FastifyReply) {
    const upgrade = this.#upgrades.get(request.raw);
    if (!upgrade) throw new Problem('upgrade-required', { headers: HANDSHAKE });
    this.#assertOrigin(request);
    let connection: SocketConnection | undefined;
    let end: StreamEnd | undefined;
    const release = this.#options.streams.open(request, (reason) => {
      end = reason;
      connection?.end(reason);
    });
    // A connection is released when it has closed, after its access line.
    reply.raw.once('close', () => {
      if (!connection) release();
    });
    if (upgrade.socket.destroyed) release();
    /** @throws Problem upgrade-required */
    return (conversation: Conversation, schemas: MessageSchemas): void => {
      this.#server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
        reply.hijack();
        connection = this.#connect(socket, { request, reply, schemas });
        socket.once('close', release);
        if (end) connection.end(end);
        void this.#converse(conversation, connection, request);
      });
    };
  }

  #connect(
    socket: WebSocket,
    { request, reply, schemas }: { request: FastifyRequest; reply: FastifyReply; schemas: MessageSchemas },
  ): SocketConnection {
    const { limits, recordResponse, heartbeatMs = HEARTBEAT_MS } = this.#options;
    const { context } = request;
    const connection = new SocketConnection(socket, {
      received: schemas.received,
      admit: () => limits.admitMessage(context.userId, request.ip),
      heartbeatMs,
    });
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      context.isStream = true;
      context.closeCode = connection.closeCode;
      runInContext(context, () => recordResponse(request, reply.code(SWITCHING)));
    });
    return connection;
  }

  async #converse(conversation: Conversation, connection: SocketConnection, request: FastifyRequest): Promise<void> {
    try {
      await conversation(connection);
      connection.finish();
    } catch (error) {
      // The handler was told to stop, and may say so.
      if (connection.signal.aborted) return;
      const problem = translateError(error);
      if (problem.status >= 500) this.#report(error, request);
      connection.refuse(problem);
    }
  }

  #report(error: unknown, { context, routeOptions }: FastifyRequest): void {
    this.#options.logger.error({ error }, 'sockets.failed');
    this.#options.observer?.onError?.(error, { requestId: context.requestId, route: routeOptions.url ?? 'none' });
  }

  /** Browsers ask no server before a page connects to it, so CORS does not apply. Other clients send no origin. */
  #assertOrigin({ headers: { origin, host } }: FastifyRequest): void {
    const { origins } = this.#options;
    if (origin === undefined || origins.includes('*') || origins.includes(origin)) return;
    if (URL.parse(origin)?.host === host) return;
    throw new Problem('forbidden', { detail: 'Pages of this origin may not connect.' });
  }
}

/** Responds on a socket that Node's server has given away: for a refusal, after which the socket closes. */
function createResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  response.once('finish', () => request.socket.destroySoon());
  socket.on('error', () => undefined);
  return response;
}

declare module 'fastify' {
  interface FastifyInstance {
    webSockets: WebSockets;
  }
}
