import { runOutsideRequests } from '../context/request-context.js';

/** Adds to counters that all replicas share, and returns their new values. Rejects while Redis is unavailable. */
export interface SharedCounters {
  add(counts: ReadonlyMap<string, number>, expiresInMs: number): Promise<ReadonlyMap<string, number>>;
}

export interface RateLimiterOptions {
  /** Appears in the header and in the names of the counters. */
  readonly name: string;
  readonly limit: number;
  /** Without shared counters the limit applies to this process alone. */
  readonly shared?: SharedCounters | undefined;
  readonly now?: () => number;
}

export interface RateLimitVerdict {
  readonly isAllowed: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
}

export const WINDOW_MS = 60_000;
/** The longest time that replicas may lag behind each other. */
const SYNC_INTERVAL_MS = 100;
/** Beyond this many callers in a window, all others share one counter. This bounds the memory. */
const MAX_COUNTERS = 100_000;
const OVERFLOW = 'overflow';

interface Counter {
  /** The count of all replicas at the last exchange. */
  shared: number;
  /** The count of this process since then. */
  pending: number;
}

/**
 * Counts requests in windows that begin at the same time in all processes. Counting is local; ten times a second the
 * counts are exchanged in one command. No request waits for the exchange, so a caller may exceed its limit by the
 * requests that reach other replicas within 100 ms.
 */
export class RateLimiter {
  readonly name: string;
  readonly limit: number;
  readonly #shared: SharedCounters | undefined;
  readonly #now: () => number;
  #window = -1;
  #counters = new Map<string, Counter>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ name, limit, shared, now = Date.now }: RateLimiterOptions) {
    this.name = name;
    this.limit = limit;
    this.#shared = shared;
    this.#now = now;
  }

  take(caller: string): RateLimitVerdict {
    const now = this.#now();
    this.#enterWindow(Math.floor(now / WINDOW_MS));
    const counter = this.#counterOf(caller);
    counter.pending += 1;
    this.#scheduleExchange();
    const used = counter.shared + counter.pending;
    return {
      isAllowed: used <= this.limit,
      remaining: Math.max(0, this.limit - used),
      resetSeconds: Math.ceil(((this.#window + 1) * WINDOW_MS - now) / 1_000),
    };
  }

  /** Sends the pending counts of this process and receives the totals of all replicas. */
  async exchange(): Promise<void> {
    const window = this.#window;
    const dirty = [...this.#counters].filter(([, { pending }]) => pending > 0);
    if (!this.#shared || dirty.length === 0) return;
    const sent = new Map(dirty.map(([caller, { pending }]) => [this.#nameOf(caller, window), pending]));
    try {
      const totals = await this.#shared.add(sent, 2 * WINDOW_MS);
      for (const [caller, counter] of dirty) {
        const name = this.#nameOf(caller, window);
        counter.pending -= sent.get(name) ?? 0;
        counter.shared = totals.get(name) ?? counter.shared;
      }
    } catch {
      // Counts that could not be sent stay pending, and still count in this process.
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #enterWindow(window: number): void {
    if (window === this.#window) return;
    this.#window = window;
    this.#counters = new Map();
  }

  #counterOf(caller: string): Counter {
    const name = this.#counters.size >= MAX_COUNTERS && !this.#counters.has(caller) ? OVERFLOW : caller;
    const counter = this.#counters.get(name) ?? { shared: 0, pending: 0 };
    this.#counters.set(name, counter);
    return counter;
  }

  #scheduleExchange(): void {
    if (!this.#shared || this.#timer) return;
    const run = () => void this.exchange().finally(() => (this.#timer = undefined));
    this.#timer = runOutsideRequests(() => setTimeout(run, SYNC_INTERVAL_MS).unref());
  }

  #nameOf(caller: string, window: number): string {
    return `${this.name}:${window}:${caller}`;
  }
}
