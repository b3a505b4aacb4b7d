import { ReadCache } from './read-cache.js';
import type { Redis } from './redis.js';
import { RedisTrust } from './redis-trust.js';

/** Makes the cache of each resource, apart by environment and name. */
export class ReadCaches {
  readonly #redis: { readonly redis: Redis; readonly trust: RedisTrust } | undefined;

  constructor(
    redis: Redis | undefined,
    private readonly environment: string,
  ) {
    this.#redis = redis && { redis, trust: new RedisTrust(redis) };
  }

  create<Row extends { readonly version: number }>(name: string): ReadCache<Row> {
    return new ReadCache<Row>(this.#redis && { ...this.#redis, environment: this.environment, name });
  }
}
