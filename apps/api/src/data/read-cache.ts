import type { Redis } from './redis.js';
import { CACHE_TTL_MS, type RedisTrust } from './redis-trust.js';

export interface CacheKey {
  readonly userId: string;
  readonly id: string;
}

/** Whatever is cached carries the version of its row. */
interface Versioned {
  readonly version: number;
}

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
  readonly redis: Redis;
  readonly trust: RedisTrust;
  readonly environment: string;
  /** Names the resource, and changes with the shape of what is cached. */
  readonly name: string;
}

/**
 * Rows by environment, owner and id. A miss, a Redis that is away, slow or talks nonsense and no Redis at all are the same
 * to the caller.
 */
export class ReadCache<Row extends Versioned> {
  readonly #options: ReadCacheOptions | undefined;

  /** @param options left out where there is no Redis: nothing is kept */
  constructor(options: ReadCacheOptions | undefined) {
    this.#options = options;
  }

  async get(key: CacheKey): Promise<Row | undefined> {
    if (!this.#options?.trust.mayRead) return undefined;
    const { redis, trust } = this.#options;
    try {
      return parseRow<Row>(await redis.hget(nameOf(this.#options, key), 'd'));
    } catch {
      trust.pause();
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
    if (!this.#options) return;
    const { redis, trust } = this.#options;
    if (!trust.mayWrite) return trust.distrust();
    try {
      await redis.eval(PUT_IF_NEWER, 1, nameOf(this.#options, key), version, text, CACHE_TTL_MS);
    } catch {
      trust.pause();
      trust.distrust();
    }
  }
}

function nameOf({ environment, name }: ReadCacheOptions, { userId, id }: CacheKey): string {
  return `airlock:${environment}:${name}:${encodeURIComponent(userId)}:${id}`;
}

/** What is no row, whoever wrote it, is a miss: it would go to a caller as it is. */
function parseRow<Row extends Versioned>(text: string | null | undefined): Row | undefined {
  if (!text) return undefined;
  const row: unknown = JSON.parse(text);
  const isRow = typeof row === 'object' && row !== null && 'version' in row && Number.isInteger(row.version);
  return isRow ? (row as Row) : undefined;
}
