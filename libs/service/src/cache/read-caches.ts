import type { Redis } from 'ioredis';
import type { CachedTables } from '../data/cached-tables.js';
import type { Database } from '../data/database.js';
import { CacheGeneration, type CacheGenerationOptions } from './cache-generation.js';
import { CacheServer } from './cache-server.js';
import { ExpectedChanges } from './expected-changes.js';
import { ReadCache } from './read-cache.js';

export interface ReadCachesOptions extends Omit<CacheGenerationOptions, 'server'> {
  readonly database: Pick<Database, 'query' | 'watch'>;
  /**
   * Undefined if none is configured. The process then caches nothing, and its writes close the generation of the
   * others.
   */
  readonly redis: Redis | undefined;
  readonly environment: string;
  /** The tables that any process of the product may cache. */
  readonly tables: readonly string[];
}

/**
 * Creates the cache of each resource, and sees to it that a transaction that changes cached rows cannot leave them in a
 * cache. Keys include the environment and the name, so caches never share entries.
 */
export class ReadCaches implements CachedTables {
  readonly tables: readonly string[];
  readonly #options: ReadCachesOptions;
  readonly #server: CacheServer;
  readonly #generation: CacheGeneration;
  readonly #expected = new ExpectedChanges();

  constructor(options: ReadCachesOptions) {
    this.#options = options;
    this.tables = options.tables;
    this.#server = new CacheServer(options.redis);
    this.#generation = new CacheGeneration({ ...options, server: this.#server });
    options.database.watch(this);
  }

  /**
   * @param table of the rows
   * @param shape a number; raise it when the shape of the cached rows changes
   */
  create<Row extends { readonly version: number }>(table: string, shape: number): ReadCache<Row> {
    const { environment } = this.#options;
    const [server, generation, expected] = [this.#server, this.#generation, this.#expected];
    if (!this.tables.includes(table)) {
      // A worker that changes rows of the table could not know.
      throw new Error(`cache: ${table} may not be cached; expected it in cachedTables of libs/model/src/model.ts`);
    }
    return new ReadCache<Row>({ server, generation, expected, environment, table, shape });
  }

  expects(table: string, rows: number): boolean {
    return rows <= this.#expected.of(table);
  }

  /** @param reason why the rows are not known, for the log */
  async changeAll<T>(work: () => Promise<T>, reason?: string): Promise<T> {
    if (reason !== undefined) this.#options.logger.warn({ reason }, 'cache.unexpected-change');
    await this.#generation.close();
    const result = await this.#expected.run(new Map(this.tables.map((table) => [table, Infinity])), work);
    await this.#generation.close();
    return result;
  }
}
