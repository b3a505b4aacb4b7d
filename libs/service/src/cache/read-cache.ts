import { createHash, randomUUID } from 'node:crypto';
import type { CacheGeneration, Lease } from './cache-generation.js';
import type { CacheServer } from './cache-server.js';

export interface CacheKey {
  readonly userId: string;
  readonly id: string;
}

/** Whatever is cached carries the version of its row. */
interface Versioned {
  readonly version: number;
}

export const CACHE_TTL_MS = 60_000;
/** A reader that takes longer does not cache what it read. */
const FILL_MS = 10_000;
/** Longer than any request takes: a writer that died leaves its row uncached for this long. */
const WRITER_MS = 60_000;

/** An entry holds a row, or the token of the one reader that may put the row there. No token is given beside a writer. */
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
  /** Names the resource, and changes with the shape of what is cached. */
  readonly name: string;
}

interface Call {
  readonly script: string;
  readonly lease: Lease;
  readonly key: CacheKey;
  readonly values: readonly (string | number)[];
}

/**
 * Rows by environment, owner and id. A read that begins after a write was acknowledged never gets an older row, whatever
 * happens to Redis or to a process. docs/adr/0009 says why.
 */
export class ReadCache<Row extends Versioned> {
  readonly #options: ReadCacheOptions;

  constructor(options: ReadCacheOptions) {
    this.#options = options;
  }

  /** The row from the cache, or else from `load`, which asks the database. */
  async read(key: CacheKey, load: () => Promise<Row | undefined>): Promise<Row | undefined> {
    const { generation, server } = this.#options;
    const lease = await generation.lease();
    if (!lease) return load();
    const { entry } = this.#namesOf(key, lease);
    // GETEX instead of GET: a replica refuses it, and so does a server that has become one.
    const text = await server.ask((redis) => redis.getex(entry));
    const cached = parseRow<Row>(text);
    if (cached && generation.holds(lease)) return cached;
    const token = randomUUID();
    const mayFill = await this.#run({ script: RESERVE, lease, key, values: [token, FILL_MS] });
    const row = await load();
    // Without a row the place is given up again.
    const values = [token, row ? JSON.stringify(row) : '', CACHE_TTL_MS];
    if (mayFill) await this.#run({ script: FILL, lease, key, values });
    return row;
  }

  /**
   * Runs a write that changes or deletes the row. While it runs no process caches the row. Where Redis cannot be told so,
   * the whole generation is closed instead, before the write and again after it.
   */
  async change<T>(key: CacheKey, write: () => Promise<T>): Promise<T> {
    const { generation } = this.#options;
    const token = randomUUID();
    const lease = await generation.lease();
    const isTold = lease && (await this.#run({ script: BEGIN_WRITE, lease, key, values: [token, WRITER_MS] }));
    if (!isTold) await generation.close();
    const result = await write();
    // A write that throws may still be carried out: its row stays uncached until the token expires.
    const isEnded = isTold && (await this.#run({ script: END_WRITE, lease, key, values: [token] }));
    if (!isEnded) await generation.close();
    return result;
  }

  /** @returns whether Redis did it while the lease held */
  async #run({ script, lease, key, values }: Call): Promise<boolean> {
    const { generation, server } = this.#options;
    if (!generation.holds(lease)) return false;
    const { entry, writers } = this.#namesOf(key, lease);
    const done = await server.ask((redis) => redis.eval(script, 2, entry, writers, ...values));
    return done === 1 && generation.holds(lease);
  }

  /** Hashed: of one length whatever a token calls its user, and nothing that readers of Redis should learn. */
  #namesOf({ userId, id }: CacheKey, { generation }: Lease): { entry: string; writers: string } {
    const { environment, name } = this.#options;
    const hash = createHash('sha256')
      .update(JSON.stringify([userId, id]))
      .digest('base64url');
    const entry = `airlock:${environment}:${name}:${generation}:${hash}`;
    return { entry, writers: `${entry}:writers` };
  }
}

/** Text that is not a row is a miss: it would reach a caller unchanged. */
function parseRow<Row extends Versioned>(text: string | null | undefined): Row | undefined {
  if (!text?.startsWith('{')) return undefined;
  try {
    const row = JSON.parse(text) as Partial<Row>;
    return Number.isInteger(row.version) ? (row as Row) : undefined;
  } catch {
    return undefined;
  }
}
