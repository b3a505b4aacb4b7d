import { Health, type Lifecycle, type Version } from '@airlock/health';
import { createIndicator } from '@airlock/health/indicator';
import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from 'pino';
import { Database } from '../data/database.js';
import type { Redis } from 'ioredis';
import type { FileStore } from '../files/file-store.js';
import { REDIS } from '../redis/redis.js';

const BOUNDS = { timeoutMs: 500, cacheMs: 1_000 };
/** All replicas share the database: one slow response must not take all of them out of traffic. */
const DATABASE_FAILURES = 3;

/** A bucket is billed by request. */
const STORAGE_CACHE_MS = 15_000;

export interface HealthContext {
  readonly lifecycle: Lifecycle;
  readonly version: Version;
  readonly logger: Logger;
  readonly store: FileStore;
}

/**
 * The components of a process. Redis is optional: without it the API is slower and its limits are per process. Without the
 * storage, only routes and jobs with files fail.
 */
export function createHealth(app: INestApplicationContext, { logger, store, ...context }: HealthContext): Health {
  const database = app.get(Database);
  const redis = app.get<Redis | undefined>(REDIS);
  const askDatabase = createIndicator({
    ...BOUNDS,
    name: 'database',
    isRequired: true,
    failuresToGoDown: DATABASE_FAILURES,
    run: logTransitions(() => database.ping(), logger),
    figures: () => database.figures(),
  });
  const optional = { ...BOUNDS, isRequired: false, failuresToGoDown: 1 };
  const indicators = [
    askDatabase,
    ...(redis ? [createIndicator({ ...optional, name: 'redis', run: () => redis.ping() })] : []),
    ...(store.isUsed
      ? [createIndicator({ ...optional, name: 'storage', cacheMs: STORAGE_CACHE_MS, run: () => store.ping() })]
      : []),
  ];
  return new Health({ ...context, indicators });
}

/**
 * Logs one line when the database becomes unavailable and one when it recovers. Probes are public and give no reasons.
 */
function logTransitions(ping: () => Promise<void>, logger: Logger): () => Promise<void> {
  let isUnavailable = false;
  return async () => {
    try {
      await ping();
      if (isUnavailable) logger.info('database.recovered');
      isUnavailable = false;
    } catch (error) {
      if (!isUnavailable) logger.warn({ error }, 'database.unavailable');
      isUnavailable = true;
      throw error;
    }
  };
}
