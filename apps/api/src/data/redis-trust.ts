import type { Redis } from './redis.js';

/** Longer than any request may take, so that what a slow reader brings home is never newer than what it finds. */
export const CACHE_TTL_MS = 60_000;
/** After a failure nobody asks Redis again for this long: one request in many finds out whether it is well, not each. */
const PAUSE_MS = 5_000;

/**
 * Whether a process may ask Redis, and whether it may believe the answer. Whatever could not be told to Redis may be older
 * there: until all from before has expired nothing is read.
 */
export class RedisTrust {
  readonly #redis: Redis;
  #pausedUntil = 0;
  #trustedFrom = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
    redis.on('close', () => this.distrust());
  }

  get mayWrite(): boolean {
    return this.#redis.status === 'ready' && performance.now() >= this.#pausedUntil;
  }

  get mayRead(): boolean {
    return this.mayWrite && performance.now() >= this.#trustedFrom;
  }

  pause(): void {
    this.#pausedUntil = performance.now() + PAUSE_MS;
  }

  distrust(): void {
    this.#trustedFrom = performance.now() + CACHE_TTL_MS;
  }
}
