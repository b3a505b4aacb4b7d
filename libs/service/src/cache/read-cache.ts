import { createHash, randomUUID } from 'node:crypto';
import type { CacheGeneration, Lease } from './cache-generation.js';
import type { CacheServer } from './cache-server.js';
import type { ExpectedChanges } from './expected-changes.js';

export interface CacheKey {
  readonly userId: string;
  readonly id: string;
}

/** Every cached value holds the version of its row. */
interface Versioned {
  readonly version: number;
}

export const CACHE_TTL_MS = 60_000;
/** A reader that takes longer does not cache its row. */
const FILL_MS = 10_000;
/** Longer than any request. If a writer dies, its row is not cached for this long. */
const WRITER_MS = 60_000;

/**
 * An entry holds a row, or the token of the one reader that may store it. While a row has a writer, no token is given.
 */
const RESERVE = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0`;
const FILL = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`;
const BEGIN_WRITE = `
redis.call('DEL', KEYS[1])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1`;
const END_WRITE = `
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1`;

export interface ReadCacheOptions {
  readonly server: CacheServer;
  readonly generation: CacheGeneration;
  readonly environment: string;
  readonly expected: ExpectedChanges;
  readonly table: string;
  /** Changes with the shape of the cached rows. */
  readonly shape: number;
}

interface Call {
  readonly script: string;
  readonly lease: Lease;
  readonly key: CacheKey;
  readonly values: readonly (string | number)[];
}

/**
 * Rows by environment, owner and id. A read that begins after a write was acknowledged never gets an older row, even if
 * Redis or a process fails. docs/adr/0009 explains why.
 */
export class ReadCache<Row extends Versioned> {
  readonly #options: ReadCacheOptions;

  constructor(options: ReadCacheOptions) {
    this.#options = options;
  }

  /** Returns the row from the cache, or from `load`, which queries the database. */
  async read(key: CacheKey, load: () => Promise<Row | undefined>): Promise<Row | undefined> {
    const { generation, server } = this.#options;
    const lease = await generation.lease();
    if (!lease) return load();
    const { entry } = this.#namesOf(key, lease);
    // GETEX instead of GET, because a replica rejects it, also one that was the primary before.
    const text = await server.ask((redis) => redis.getex(entry));
    const cached = parseRow<Row>(text);
    if (cached && generation.holds(lease)) return cached;
    const token = randomUUID();
    const mayFill = await this.#run({ script: RESERVE, lease, key, values: [token, FILL_MS] });
    const row = await load();
    // If there is no row, an empty value removes the reservation.
    const values = [token, row ? JSON.stringify(row) : '', CACHE_TTL_MS];
    if (mayFill) await this.#run({ script: FILL, lease, key, values });
    return row;
  }

  /**
   * Runs a write that changes or deletes the row: a statement, or a transaction. No process caches the row while the write runs. If Redis cannot be
   * told about the write, the whole generation is closed instead, before the write and again after it.
   */
  async change<T>(key: CacheKey, write: () => Promise<T>): Promise<T> {
    const { generation, table } = this.#options;
    const token = randomUUID();
    const lease = await generation.leaseForWrite();
    const isTold = lease && (await this.#run({ script: BEGIN_WRITE, lease, key, values: [token, WRITER_MS] }));
    if (!isTold) await generation.close();
    const result = await this.#options.expected.run(new Map([[table, 1]]), write);
    // A write that throws may still take effect, so its row is not cached until the token expires.
    const isEnded = isTold && (await this.#run({ script: END_WRITE, lease, key, values: [token] }));
    if (!isEnded) await generation.close();
    return result;
  }

  /** @returns whether Redis ran the script while the lease was valid */
  async #run({ script, lease, key, values }: Call): Promise<boolean> {
    const { generation, server } = this.#options;
    if (!generation.holds(lease)) return false;
    const { entry, writers } = this.#namesOf(key, lease);
    const done = await server.ask((redis) => redis.eval(script, 2, entry, writers, ...values));
    return done === 1 && generation.holds(lease);
  }

  /** The key is a hash: its length is constant, and it does not reveal users to readers of Redis. */
  #namesOf({ userId, id }: CacheKey, { generation }: Lease): { entry: string; writers: string } {
    const { environment, table, shape } = this.#options;
    const hash = createHash('sha256')
      .update(JSON.stringify([userId, id]))
      .digest('base64url');
    const entry = `airlock:${environment}:${table}:${shape}:${generation}:${hash}`;
    return { entry, writers: `${entry}:writers` };
  }
}

/** Text that is not a row counts as a miss, because a cached row is sent to the caller unchanged. */
function parseRow<Row extends Versioned>(text: string | null | undefined): Row | undefined {
  if (!text?.startsWith('{')) return undefined;
  try {
    const row = JSON.parse(text) as Partial<Row>;
    return Number.isInteger(row.version) ? (row as Row) : undefined;
  } catch {
    return undefined;
  }
}
