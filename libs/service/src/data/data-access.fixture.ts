import type { Config } from '@airlock/config';
import { DatabaseModule, openDataSource } from '@airlock/database';
import { Parcel } from '@airlock/database/sample';
import type { TestDatabase } from '@airlock/database-dev/testing';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { Database, type SchemaReadiness } from './database.js';

/** No operation reaches it, however busy the machine is. */
const NEVER_MS = 10 * 60 * 1000;

export interface DataAccess {
  /** `ping` fails if its session has a user or shows a row. */
  readonly database: Database;
  readonly close: () => Promise<void>;
}

export async function openDataAccess(test: TestDatabase, { poolSize }: { poolSize: number }): Promise<DataAccess> {
  const config = removeLimits(test.config, { poolSize });
  // The pool warns of each idle session that an administrator ends.
  const printSql = { log: () => undefined, warn: () => undefined };
  const imports = [DatabaseModule.forRootUnconnected(config, { printSql }), TypeOrmModule.forFeature([Parcel])];
  const module = await Test.createTestingModule({ imports }).compile();
  const dataSource = module.get(DataSource);
  await openDataSource(dataSource, config);
  const options = { statementTimeoutMs: NEVER_MS, transactionTimeoutMs: NEVER_MS, poolSize, constraints: {} };
  return {
    database: new Database(dataSource, { ...options, checkSchema: findUser }),
    close: () => module.close(),
  };
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
