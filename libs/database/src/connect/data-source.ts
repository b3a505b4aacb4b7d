import type { Config } from '@airlock/config';
import { type ClientBase, Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { createClientOptions } from './client-options.js';
import { SqlLogger, type SqlPrinter } from './sql-logger.js';
import { GuardedClient } from '../wire/guarded-client.js';

const SECOND = 1000;
type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** All that a caller may say. What could reshape a database or move the connection is not in the type. */
export type DataSourceChoices = Readonly<
  Pick<PostgresOptions, 'subscribers' | 'logger'> & {
    entities: NonNullable<PostgresOptions['entities']>;
    /** What the sessions are for, in their application_name; `api` unless given. */
    purpose?: string;
    /** Takes what DB_ECHO shows; the logger of Nest unless given. */
    printSql?: SqlPrinter;
  }
>;

/** TypeORM on the database of the config, as the application role. It runs no migration and changes no schema. */
export function createDataSource(config: Config, choices: DataSourceChoices): DataSource {
  const { purpose = 'api', printSql, ...rest } = choices;
  return new DataSource({
    logger: new SqlLogger(config.database.echo, printSql),
    logging: config.database.echo ? 'all' : ['warn', 'migration'],
    ...rest,
    type: 'postgres',
    driver: createDriver(config, purpose),
    installExtensions: false,
    entitySkipConstructor: true,
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
  });
}

/**
 * TypeORM builds its pool from its own reading of the options, merges `extra` over it, and prefers pg's native binding,
 * which reads PG* variables, where that is installed. It is given a driver that has one thing only: a pool that ignores
 * what TypeORM says and takes the same discrete fields as every other session.
 */
function createDriver(config: Config, purpose: string): { Pool: new () => Pool } {
  const options = {
    ...createClientOptions(config.database.app, { config, purpose }),
    Client: GuardedClient as unknown as new () => ClientBase,
    max: config.database.poolSize,
    idleTimeoutMillis: 30 * SECOND,
    maxLifetimeSeconds: 30 * 60,
  };
  class ConfiguredPool extends Pool {
    constructor() {
      super(options);
      // While a session is lent the pool does not listen to it, and a connection that breaks then would end the process. What
      // was asked on it fails by itself, and who gives it back gives back one that is thrown away.
      this.on('connect', (session) => session.on('error', () => {}));
    }
  }
  return { Pool: ConfiguredPool };
}
