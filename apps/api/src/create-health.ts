import type { Config } from '@airlock/config';
import { createProbe, Health, type Lifecycle, type Version } from '@airlock/health';
import type { INestApplicationContext } from '@nestjs/common';
import { Database } from './data/database.js';

const PROBE_TIMEOUT_MS = 500;
const PROBE_CACHE_MS = 1_000;
/** All replicas share the database: one slow answer must not take every one of them out of traffic. */
const DATABASE_FAILURES = 3;

interface HealthContext {
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  readonly version: Version;
}

export function createHealth(app: INestApplicationContext, { lifecycle, version }: HealthContext): Health {
  const database = app.get(Database);
  const probe = createProbe({
    run: () => database.ping(),
    timeoutMs: PROBE_TIMEOUT_MS,
    cacheMs: PROBE_CACHE_MS,
    failuresToGoDown: DATABASE_FAILURES,
  });
  return new Health({
    lifecycle,
    version,
    components: { database: { probe, isRequired: true, figures: () => database.figures() } },
  });
}
