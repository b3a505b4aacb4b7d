import type { Redis } from 'ioredis';

/** After a failure Redis is not asked for this long: one request in many finds out whether it has recovered. */
const PAUSE_MS = 1_500;

/** Redis as the cache sees it: it answers in time, or it counts as absent. */
export class CacheServer {
  readonly #redis: Redis | undefined;
  #pausedUntil = 0;
  #connection = 0;

  /** @param redis left out where none is configured */
  constructor(redis: Redis | undefined) {
    this.#redis = redis;
    redis?.on('close', () => (this.#connection += 1));
  }

  get isUsable(): boolean {
    return this.#redis?.status === 'ready' && performance.now() >= this.#pausedUntil;
  }

  /** Another number means another connection, behind which may be another server. */
  get connection(): number {
    return this.#connection;
  }

  /** @returns undefined without an answer. Redis may still carry the command out later. */
  async ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (!this.#redis || !this.isUsable) return undefined;
    try {
      return await command(this.#redis);
    } catch {
      this.#pausedUntil = performance.now() + PAUSE_MS;
      return undefined;
    }
  }

  /**
   * Names the keys that this connection reaches: a process of Redis, the history of its data, and the index. A restart, a
   * failover and a resynchronisation each change the name. A replica has none: it may lag.
   */
  async identify(): Promise<string | undefined> {
    const info = await this.ask((redis) => redis.info());
    const read = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info ?? '')?.[1];
    const [run, history] = [read('run_id'), read('master_replid')];
    if (!run || !history || read('role') !== 'master' || read('loading') === '1') return undefined;
    return `${run}:${history}:${this.#redis?.options.db ?? 0}`;
  }
}
