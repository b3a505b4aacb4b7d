import { Health, type Lifecycle, type Version } from '@airlock/health';
import { createIndicator } from '@airlock/health/indicator';
import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from 'pino';
import { Database } from '../data/database.js';
import type { Redis } from 'ioredis';
import { REDIS } from '../redis/redis.js';

const BOUNDS = { timeoutMs: 500, cacheMs: 1_000 };
/** All replicas share the database: one slow answer must not take every one of them out of traffic. */
const DATABASE_FAILURES = 3;

/** The components of the API. Redis is optional: without it the API is slower and its limits are per process. */
export function createHealth(
  app: INestApplicationContext,
  { logger, ...context }: { lifecycle: Lifecycle; version: Version; logger: Logger },
): Health {
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
  if (!redis) return new Health({ ...context, indicators: [askDatabase] });
  const askRedis = createIndicator({
    ...BOUNDS,
    name: 'redis',
    isRequired: false,
    failuresToGoDown: 1,
    run: () => redis.ping(),
  });
  return new Health({ ...context, indicators: [askDatabase, askRedis] });
}

/** The probes name no reasons, because anyone may ask them: one line when it goes, and one when it returns. */
function logTransitions(ping: () => Promise<void>, logger: Logger): () => Promise<void> {
  let isAway = false;
  return async () => {
    try {
      await ping();
      if (isAway) logger.info('database.back');
      isAway = false;
    } catch (error) {
      if (!isAway) logger.warn({ error }, 'database.away');
      isAway = true;
      throw error;
    }
  };
}
