import { ReadCache } from './read-cache.js';
import type { Redis } from './redis.js';

/** Makes the cache of each resource, apart by environment and name. */
export class ReadCaches {
  constructor(
    private readonly redis: Redis | undefined,
    private readonly environment: string,
  ) {}

  create<Row extends { readonly version: number }>(name: string): ReadCache<Row> {
    return new ReadCache<Row>({ redis: this.redis, environment: this.environment, name });
  }
}
