import type { Lifecycle } from '@airlock/health';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.js';

export interface OpenStreamsOptions {
  readonly lifecycle: Lifecycle;
  /** How many a user may have open in this process; without a user, an address. */
  readonly limit: number;
}

/** Why the process ends a stream: its token is no longer accepted, or the client is to connect to another process. */
export type StreamEnd = 'token-expired' | 'reconnect';

/** A stream ends at the latest after this time, so that clients spread over new processes, and revoked keys count. */
const LONGEST_MS = 60 * 60 * 1_000;
const RETRY = { 'retry-after': '10' };

/** The responses that last as long as their client stays: streams of events, and WebSockets. */
export class OpenStreams {
  readonly #limit: number;
  readonly #ends = new Set<(reason: StreamEnd) => void>();
  readonly #counts = new Map<string, number>();
  #onLastEnd = () => {};

  constructor(server: FastifyInstance, { lifecycle, limit }: OpenStreamsOptions) {
    this.#limit = limit;
    lifecycle.onDrain(() => this.#endAll());
    server.addHook('preClose', (done) => {
      this.#endAll();
      done();
    });
    // A server has closed as soon as its sockets are destroyed, before they report it and streams have their access lines.
    server.addHook('onClose', (_, done) => {
      this.#onLastEnd = done;
      if (this.#ends.size === 0) done();
    });
  }

  /**
   * Counts a stream of the caller, and calls `end` when it must end. The result is called once the stream has closed and
   * was recorded.
   *
   * @throws Problem rate-limited
   */
  open({ context, ip }: FastifyRequest, end: (reason: StreamEnd) => void): () => void {
    const release = this.#take(context.userId === undefined ? `address ${ip}` : `user ${context.userId}`);
    const tokenMs = (context.expiresAtMs ?? Infinity) - Date.now();
    const reason = tokenMs < LONGEST_MS ? 'token-expired' : 'reconnect';
    const timer = setTimeout(() => end(reason), Math.min(LONGEST_MS, tokenMs)).unref();
    this.#ends.add(end);
    return () => {
      if (!this.#ends.delete(end)) return;
      clearTimeout(timer);
      release();
      if (this.#ends.size === 0) this.#onLastEnd();
    };
  }

  #take(caller: string): () => void {
    const count = this.#counts.get(caller) ?? 0;
    if (count >= this.#limit) {
      const detail = `No more than ${this.#limit} event streams and WebSockets may be open at once.`;
      throw new Problem('rate-limited', { detail, headers: RETRY });
    }
    this.#counts.set(caller, count + 1);
    return () => {
      const left = (this.#counts.get(caller) ?? 0) - 1;
      if (left > 0) this.#counts.set(caller, left);
      else this.#counts.delete(caller);
    };
  }

  #endAll(): void {
    for (const end of this.#ends) end('reconnect');
  }
}
