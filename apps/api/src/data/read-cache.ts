import type { Redis } from './redis.js';

export interface CacheKey {
  readonly userId: string;
  readonly id: string;
}

/** Whatever is cached carries the version of its row. */
interface Versioned {
  readonly version: number;
}

/** Longer than any request may take, so that what a slow reader brings home is never newer than what it finds. */
export const CACHE_TTL_MS = 60_000;
/** After a deletion nothing may be put back. */
const DELETED = 2_147_483_647;

/** Keeps the newer of what is there and what comes: a slow reader cannot put an old row over a new one. */
const PUT_IF_NEWER = `
local version = tonumber(redis.call('HGET', KEYS[1], 'v'))
if version and version >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'd', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

export interface ReadCacheOptions {
  readonly redis: Redis | undefined;
  readonly environment: string;
  /** Names the resource, and changes with the shape of what is cached. */
  readonly name: string;
}

/**
 * Rows by environment, owner and id. A miss, a Redis that is away and no Redis at all are the same to the caller. While
 * Redis is away writes cannot be told to it: after each return nothing is read until all from before has expired.
 */
export class ReadCache<Row extends Versioned> {
  readonly #redis: Redis | undefined;
  readonly #prefix: string;
  #trustedFrom = 0;

  constructor({ redis, environment, name }: ReadCacheOptions) {
    this.#redis = redis;
    this.#prefix = `airlock:${environment}:${name}`;
    redis?.on('close', () => this.#distrust());
  }

  async get(key: CacheKey): Promise<Row | undefined> {
    if (!this.#isUsable() || performance.now() < this.#trustedFrom) return undefined;
    try {
      const text = await this.#redis?.hget(this.#nameOf(key), 'd');
      return text ? (JSON.parse(text) as Row) : undefined;
    } catch {
      return undefined;
    }
  }

  /** After a read and after a write alike. */
  async put(key: CacheKey, row: Row): Promise<void> {
    await this.#putVersion(key, row.version, JSON.stringify(row));
  }

  async remove(key: CacheKey): Promise<void> {
    await this.#putVersion(key, DELETED, '');
  }

  async #putVersion(key: CacheKey, version: number, text: string): Promise<void> {
    if (!this.#isUsable()) return;
    try {
      await this.#redis?.eval(PUT_IF_NEWER, 1, this.#nameOf(key), version, text, CACHE_TTL_MS);
    } catch {
      this.#distrust();
    }
  }

  #distrust(): void {
    this.#trustedFrom = performance.now() + CACHE_TTL_MS;
  }

  #isUsable(): boolean {
    return this.#redis?.status === 'ready';
  }

  #nameOf({ userId, id }: CacheKey): string {
    return `${this.#prefix}:${encodeURIComponent(userId)}:${id}`;
  }
}
