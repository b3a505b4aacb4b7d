import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';

/** An event of a stream of server-sent events. */
export interface ServerEvent<Data = unknown> {
  /** A client that reconnects sends the last id that it received as `Last-Event-ID`. Printable ASCII without spaces. */
  readonly id?: string;
  /** Its name, for clients that distinguish several. */
  readonly event?: string;
  /** Sent as JSON. */
  readonly data: Data;
}

export interface EventStreamOptions {
  readonly heartbeatMs: number;
  /** Receives an error of the producer, or an event that cannot be sent. */
  readonly onError: (error: unknown) => void;
}

/** The form of an id and of a name. A line end in it would begin another field. */
export const EVENT_WORD = /^[\x21-\x7e]{1,255}$/;
const HEARTBEAT = ':\n\n';
/** Clients that one process disconnects at once come back spread over this time. */
const [MIN_RETRY_MS, RETRY_SPREAD_MS] = [1_000, 2_000];

/**
 * Sends the events of a producer, and comments in between so that proxies keep the connection open. The producer is
 * asked for the next event only when the client has read enough of the previous ones.
 */
export class EventStream extends Readable {
  readonly #iterator: AsyncIterator<ServerEvent>;
  readonly #options: EventStreamOptions;
  readonly #heartbeat: NodeJS.Timeout;
  // A signal, a timer or the client's socket ends the producer, outside of the context of the request.
  readonly #inContext = AsyncLocalStorage.snapshot();
  #isPulling = false;
  #isEnded = false;

  constructor(events: AsyncIterable<ServerEvent>, options: EventStreamOptions) {
    super({ encoding: 'utf8' });
    this.#iterator = events[Symbol.asyncIterator]();
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#sendHeartbeat(), options.heartbeatMs).unref();
    this.push(`retry: ${MIN_RETRY_MS + Math.floor(Math.random() * RETRY_SPREAD_MS)}\n\n`);
  }

  override _read(): void {
    if (this.#isPulling || this.#isEnded) return;
    this.#isPulling = true;
    void this.#inContext(() => this.#pull());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#release();
    done(error);
  }

  /** Ends the response after the bytes that still wait for the client. */
  finish(): void {
    if (this.#isEnded) return;
    this.#release();
    this.push(null);
  }

  async #pull(): Promise<void> {
    try {
      const next = await this.#iterator.next();
      this.#isPulling = false;
      if (this.#isEnded) return;
      if (next.done) return this.finish();
      this.#heartbeat.refresh();
      this.push(format(next.value));
    } catch (error) {
      if (this.#isEnded) return;
      this.#options.onError(error);
      this.finish();
    }
  }

  /** Bytes that wait for the client show that it is connected; more of them would only use memory. */
  #sendHeartbeat(): void {
    if (!this.#isEnded && this.readableLength === 0) this.push(HEARTBEAT);
  }

  #release(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearInterval(this.#heartbeat);
    // A generator that waits without the signal returns only after that.
    void this.#inContext(async () => this.#iterator.return?.()).catch((error: unknown) => this.#options.onError(error));
  }
}

/** @throws Error if the id or the name has other characters than EVENT_WORD */
function format({ id, event, data }: ServerEvent): string {
  return `${formatWord('id', id)}${formatWord('event', event)}data: ${JSON.stringify(data)}\n\n`;
}

function formatWord(field: string, word: string | undefined): string {
  if (word === undefined) return '';
  if (!EVENT_WORD.test(word)) throw new Error(`events: the ${field} of an event is not 1 to 255 printable characters`);
  return `${field}: ${word}\n`;
}
