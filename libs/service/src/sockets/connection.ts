import { on } from 'node:events';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import { parseBody } from '../http/body-parser.js';
import type { StreamEnd } from '../http/open-streams.js';
import { validateInput } from '../http/validation.js';
import { Problem } from '../problems/problem.js';

/** The messages of a route. Without `received` a client may not send messages. */
export interface MessageSchemas {
  readonly received?: z.ZodType;
  readonly sent: z.ZodType;
}

export interface ConnectionOptions {
  readonly received: z.ZodType | undefined;
  /** Whether the caller has not reached its limit of requests; each message counts as one. */
  readonly admit: () => boolean;
  readonly heartbeatMs: number;
}

/** RFC 6455, 7.4.1. The code of a problem is 4000 and its status. */
const DONE = 1000;
const NOT_TEXT = 1003;
const FAILED = 1011;
const RECONNECT = 1012;
const TOO_SLOW = 1013;
const FIRST_PROBLEM = 4000;
/** How long a client may take to answer the end of its connection. */
const CLOSE_MS = 1_000;
/** The protocol allows 123 bytes. */
const MAX_REASON_BYTES = 123;
/** Messages that a handler sends without waiting for the previous ones use memory. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** The socket is not read while more messages than this wait for the handler. */
const MAX_WAITING_MESSAGES = 1;

/** The WebSocket of one client, for the handler of its route. */
export class SocketConnection<Received = unknown, Sent = unknown> {
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #controller = new AbortController();
  readonly #incoming: NodeJS.AsyncIterator<unknown[]>;
  readonly #heartbeat: NodeJS.Timeout;
  #isAlive = true;
  /** The messages of the client, valid by the schema of the route. Ends with the connection; can be read once. */
  readonly messages: AsyncIterable<Received>;
  /** Sent or received when the connection closed. */
  closeCode: number | undefined;

  constructor(socket: WebSocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    // Listens from now on: the first message may arrive with the request.
    this.#incoming = on(socket, 'message', { close: ['close'], highWaterMark: MAX_WAITING_MESSAGES, lowWaterMark: 1 });
    this.messages = this.#receive();
    this.#heartbeat = setInterval(() => this.#checkPeer(), options.heartbeatMs).unref();
    socket.on('pong', () => (this.#isAlive = true));
    // The client broke the protocol, and is told so by the library, or its connection failed.
    socket.on('error', () => this.#release());
    socket.once('close', (code) => {
      this.closeCode ??= code;
      this.#release();
    });
    if (!options.received) socket.on('message', () => this.#close(NOT_TEXT, 'this address receives no messages'));
  }

  /** Aborted when the connection ends. A handler that waits must stop then. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Sends a message as JSON. Wait for the result before the next one: a client that reads slowly is disconnected when
   * too much waits for it.
   *
   * @throws AbortError if the connection has ended
   */
  readonly send = async (message: Sent): Promise<void> => {
    this.signal.throwIfAborted();
    if (this.#socket.bufferedAmount > MAX_WAITING_BYTES) this.#close(TOO_SLOW, 'the client reads too slowly');
    const text = JSON.stringify(message);
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(text, (error) => (error ? reject(error) : resolve()));
    });
  };

  /** Ends the connection because its handler is done. */
  finish(): void {
    this.#close(DONE, '');
  }

  end(reason: StreamEnd): void {
    if (reason === 'reconnect') this.#close(RECONNECT, 'reconnect');
    else this.refuse(new Problem('unauthenticated', { detail: 'the token has expired' }));
  }

  refuse({ code, status, detail, errors: [first] = [] }: Problem): void {
    if (status >= 500) return this.#close(FAILED, code);
    const cause = first ? `${first.pointer} ${first.detail}` : detail;
    this.#close(FIRST_PROBLEM + status, cause === undefined ? code : `${code}: ${cause}`);
  }

  async *#receive(): AsyncGenerator<Received, void> {
    try {
      for (;;) {
        const next = await this.#incoming.next().catch(() => ({ done: true, value: undefined }) as const);
        if (next.done || this.signal.aborted) return;
        const [data, isBinary] = next.value as [Buffer, boolean];
        if (isBinary) return this.#close(NOT_TEXT, 'messages must be text');
        if (!this.#options.admit()) throw new Problem('rate-limited');
        yield await this.#read(data);
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refuse(error);
    }
  }

  /** @throws Problem malformed-request, body-too-large or validation-failed */
  async #read(data: Buffer): Promise<Received> {
    const { received } = this.#options;
    if (!received) throw new Problem('malformed-request');
    const { value, errors } = await validateInput(parseBody(data.toString()), received);
    if (errors.length > 0) throw new Problem('validation-failed', { errors });
    return value as Received;
  }

  /** A client that left silently, or does not read, answers no ping. One that is not read cannot answer. */
  #checkPeer(): void {
    if (!this.#isAlive && !this.#socket.isPaused) return this.#socket.terminate();
    this.#isAlive = false;
    this.#socket.ping();
  }

  #close(code: number, reason: string): void {
    if (this.signal.aborted) return;
    this.closeCode = code;
    // A paused socket would never see the answer of the client.
    this.#socket.resume();
    this.#socket.close(code, shorten(reason));
    setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref();
    this.#release();
  }

  #release(): void {
    clearInterval(this.#heartbeat);
    this.#controller.abort();
  }
}

/** The work of a route with one client. The connection closes when it resolves. */
export type Conversation<Received = unknown, Sent = unknown> = (
  connection: SocketConnection<Received, Sent>,
) => Promise<void>;

/** Cuts between characters. */
function shorten(text: string): string {
  let short = text;
  while (Buffer.byteLength(short) > MAX_REASON_BYTES) short = [...short].slice(0, -1).join('');
  return short;
}
