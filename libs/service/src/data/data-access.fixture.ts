import type { Config } from '@airlock/config';
import type { TestDatabase } from '@airlock/database-dev/testing';
import type pg from 'pg';
import { openDataWorld } from './data-world.fixture.js';
import type { Database, SchemaReadiness } from './database.js';

/** No operation reaches it, however busy the machine is. */
const NEVER_MS = 10 * 60 * 1000;

export interface DataAccess {
  /** `ping` fails if its session has a user or shows a row. */
  readonly database: Database;
  readonly close: () => Promise<void>;
}

export async function openDataAccess(test: TestDatabase, { poolSize }: { poolSize: number }): Promise<DataAccess> {
  return openDataWorld(removeLimits(test.config, { poolSize }), {
    transactionTimeoutMs: NEVER_MS,
    checkSchema: findUser,
  });
}

export function removeLimits(config: Config, { poolSize }: { poolSize: number }): Config {
  const limits = { connectTimeoutMs: NEVER_MS, statementTimeoutMs: NEVER_MS, lockTimeoutMs: NEVER_MS };
  return { ...config, database: { ...config.database, ...limits, idleInTransactionTimeoutMs: NEVER_MS, poolSize } };
}

async function findUser(session: pg.ClientBase): Promise<SchemaReadiness> {
  const { rows } = await session.query<{ user: string; count: number }>(
    `SELECT coalesce(current_setting('app.user_id', true), '') AS "user", (SELECT count(*)::int FROM parcels) AS count`,
  );
  const [{ user, count } = { user: 'unknown', count: -1 }] = rows;
  return { isServing: user === '' && count === 0, reasons: [`session of user "${user}" shows ${count} rows`] };
}
