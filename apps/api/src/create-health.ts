import { createProbe, Health, type Lifecycle, type Version } from '@airlock/health';
import type { INestApplicationContext } from '@nestjs/common';
import { Database } from './data/database.js';
import { REDIS, type Redis } from './data/redis.js';

const PROBE = { timeoutMs: 500, cacheMs: 1_000 };
/** All replicas share the database: one slow answer must not take every one of them out of traffic. */
const DATABASE_FAILURES = 3;

/** The components of the API. Redis is optional: without it the API is slower and its limits are per process. */
export function createHealth(
  app: INestApplicationContext,
  context: { lifecycle: Lifecycle; version: Version },
): Health {
  const database = app.get(Database);
  const redis = app.get<Redis | undefined>(REDIS);
  const probeDatabase = createProbe({ ...PROBE, failuresToGoDown: DATABASE_FAILURES, run: () => database.ping() });
  return new Health({
    ...context,
    components: {
      database: { probe: probeDatabase, isRequired: true, figures: () => database.figures() },
      ...(redis && {
        redis: { probe: createProbe({ ...PROBE, failuresToGoDown: 1, run: () => redis.ping() }), isRequired: false },
      }),
    },
  });
}
