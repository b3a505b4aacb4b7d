import { createHash } from 'node:crypto';
import type { Config } from '@airlock/config';
import type { FastifyReply } from 'fastify';
import { Problem } from '../problems/problem.js';
import type { Redis } from 'ioredis';
import { RateLimiter, type RateLimitVerdict, type SharedCounters, WINDOW_MS } from './rate-limiter.js';

/** The limits of the API: per address before the caller is authenticated, then per user. */
export class RateLimits {
  readonly #address: RateLimiter;
  readonly #user: RateLimiter;

  constructor({ environment, http }: Pick<Config, 'environment' | 'http'>, redis: Redis | undefined) {
    const shared = redis && createRedisCounters(redis, `airlock:${environment}:limit`);
    this.#address = new RateLimiter({ name: 'address', limit: http.rateLimitPerAddress, shared });
    this.#user = new RateLimiter({ name: 'user', limit: http.rateLimitPerUser, shared });
  }

  /** @throws Problem rate-limited */
  takeAddress(address: string, reply: FastifyReply): void {
    apply(this.#address, this.#address.take(address), reply);
  }

  /** @throws Problem rate-limited */
  takeUser(userId: string, reply: FastifyReply): void {
    apply(this.#user, this.#user.take(userId), reply);
  }

  /** Counts a message of a connection that is already open: of its user, or without one of its address. */
  admitMessage(userId: string | undefined, address: string): boolean {
    const { isAllowed } = userId === undefined ? this.#address.take(address) : this.#user.take(userId);
    return isAllowed;
  }

  onApplicationShutdown(): void {
    this.#address.close();
    this.#user.close();
  }
}

/** The header fields of draft-ietf-httpapi-ratelimit-headers. They show the limit that was checked last. */
function apply({ name, limit }: RateLimiter, verdict: RateLimitVerdict, reply: FastifyReply): void {
  reply.header('ratelimit-policy', `"${name}";q=${limit};w=${WINDOW_MS / 1_000}`);
  reply.header('ratelimit', `"${name}";r=${verdict.remaining};t=${verdict.resetSeconds}`);
  if (!verdict.isAllowed)
    throw new Problem('rate-limited', { headers: { 'retry-after': String(verdict.resetSeconds) } });
}

function createRedisCounters(redis: Redis, prefix: string): SharedCounters {
  return {
    async add(counts, expiresInMs) {
      if (redis.status !== 'ready') throw new Error('Redis is unavailable');
      const names = [...counts.keys()];
      const pipeline = redis.pipeline();
      for (const name of names) {
        // Hashed, so that readers of Redis see no users and addresses.
        const key = `${prefix}:${createHash('sha256').update(name).digest('base64url').slice(0, 22)}`;
        pipeline.incrby(key, counts.get(name) ?? 0).pexpire(key, expiresInMs);
      }
      const replies = (await pipeline.exec()) ?? [];
      return new Map(names.map((name, index) => [name, readCount(replies[index * 2])]));
    },
  };
}

function readCount(reply: [Error | null, unknown] | undefined): number {
  if (!reply || reply[0]) throw reply?.[0] ?? new Error('Redis did not reply');
  return Number(reply[1]);
}
