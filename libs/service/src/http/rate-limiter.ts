import { runOutsideRequests } from '../context/request-context.js';

/** Adds to counters that all replicas share, and tells their new values. Rejects while it is away. */
export interface SharedCounters {
  add(counts: ReadonlyMap<string, number>, expiresInMs: number): Promise<ReadonlyMap<string, number>>;
}

export interface RateLimiterOptions {
  /** In the header and in the names of the counters. */
  readonly name: string;
  readonly limit: number;
  /** Without it the limit holds for this process alone. */
  readonly shared?: SharedCounters | undefined;
  readonly now?: () => number;
}

export interface RateLimitVerdict {
  readonly isAllowed: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
}

export const WINDOW_MS = 60_000;
/** How far replicas may lag behind each other. */
const SYNC_INTERVAL_MS = 100;
/** Beyond this many callers in a window the rest share one counter: memory has an end. */
const MAX_COUNTERS = 100_000;
const CROWD = 'crowd';

interface Counter {
  /** Of all replicas, at the last exchange. */
  shared: number;
  /** Since then, here. */
  pending: number;
}

/**
 * Counts requests in windows that begin at the same time everywhere. Counting is local and takes no time; ten times a
 * second the counts are exchanged in one command. A caller may so pass its limit by what arrives elsewhere within that
 * moment, and no request ever waits for the exchange.
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

  /** Tells the others what was counted here, and learns what they have counted. */
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
      // What could not be told stays pending, and counts here meanwhile.
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
    const name = this.#counters.size >= MAX_COUNTERS && !this.#counters.has(caller) ? CROWD : caller;
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
