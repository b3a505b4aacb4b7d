import type { Redis } from 'ioredis';
import { CacheGeneration, type CacheGenerationOptions } from './cache-generation.js';
import { CacheServer } from './cache-server.js';
import { ReadCache } from './read-cache.js';

export interface ReadCachesOptions extends Omit<CacheGenerationOptions, 'server'> {
  /**
   * Undefined if none is configured. The process then caches nothing, and its writes close the generation of the
   * others.
   */
  readonly redis: Redis | undefined;
  readonly environment: string;
}

/** Creates the cache of each resource. Keys include the environment and the name, so caches never share entries. */
export class ReadCaches {
  readonly #environment: string;
  readonly #server: CacheServer;
  readonly #generation: CacheGeneration;

  constructor({ redis, environment, ...options }: ReadCachesOptions) {
    this.#environment = environment;
    this.#server = new CacheServer(redis);
    this.#generation = new CacheGeneration({ ...options, server: this.#server });
  }

  create<Row extends { readonly version: number }>(name: string): ReadCache<Row> {
    const [server, generation, environment] = [this.#server, this.#generation, this.#environment];
    return new ReadCache<Row>({ server, generation, environment, name });
  }
}
