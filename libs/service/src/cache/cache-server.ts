import type { Redis } from 'ioredis';

/** After a failure Redis gets no command for this long: one request in many checks whether it has recovered. */
const PAUSE_MS = 1_500;

/** Redis for the read cache. A Redis that does not respond in time counts as unavailable. */
export class CacheServer {
  readonly #redis: Redis | undefined;
  #pausedUntil = 0;
  #connection = 0;

  /** @param redis undefined if none is configured */
  constructor(redis: Redis | undefined) {
    this.#redis = redis;
    redis?.on('close', () => (this.#connection += 1));
  }

  get isUsable(): boolean {
    return this.#redis?.status === 'ready' && performance.now() >= this.#pausedUntil;
  }

  /** Changes with each new connection, because a new connection may reach another server. */
  get connection(): number {
    return this.#connection;
  }

  /** @returns undefined without a response. Redis may still execute the command later. */
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
   * Identifies the keys that this connection reaches: the Redis process, the history of its data and the database
   * index. A restart, a failover and a resynchronisation each change the identity. A replica has none, because it may
   * lag.
   */
  async identify(): Promise<string | undefined> {
    const info = await this.ask((redis) => redis.info());
    const read = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info ?? '')?.[1];
    const [run, history] = [read('run_id'), read('master_replid')];
    if (!run || !history || read('role') !== 'master' || read('loading') === '1') return undefined;
    return `${run}:${history}:${this.#redis?.options.db ?? 0}`;
  }
}
