import type { Config } from '@airlock/config';
import { type ClientBase, Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { createClientOptions } from './client-options.js';
import { GuardedDataSource } from './guarded-data-source.js';
import { SqlLogger, type SqlPrinter } from './sql-logger.js';
import { GuardedClient } from '../wire/guarded-client.js';

const SECOND = 1000;
type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/**
 * All options that a caller may set. The type leaves out every option that could change a schema or redirect the
 * connection.
 */
export type DataSourceChoices = Readonly<
  Pick<PostgresOptions, 'subscribers' | 'logger'> & {
    entities: NonNullable<PostgresOptions['entities']>;
    /** Purpose of the sessions, shown in their application_name; `api` by default. */
    purpose?: string;
    /** Receives the output of DB_ECHO; Nest's logger by default. */
    printSql?: SqlPrinter;
  }
>;

/** TypeORM on the database of the config, as the application role. It runs no migration and changes no schema. */
export function createDataSource(config: Config, choices: DataSourceChoices): DataSource {
  return new DataSource(createOptions(config, choices));
}

/** The same for a service, where a query without a user is an error. */
export function createGuardedDataSource(config: Config, choices: DataSourceChoices): GuardedDataSource {
  return new GuardedDataSource(createOptions(config, choices));
}

function createOptions(config: Config, choices: DataSourceChoices): PostgresOptions {
  const { purpose = 'api', printSql, ...rest } = choices;
  return {
    logger: new SqlLogger(config.database.echo, printSql),
    logging: config.database.echo ? 'all' : ['warn', 'migration'],
    ...rest,
    type: 'postgres',
    driver: createDriver(config, purpose),
    installExtensions: false,
    entitySkipConstructor: true,
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
  };
}

/**
 * TypeORM builds its pool from its own reading of the options, merges `extra` over it, and prefers pg's native binding,
 * which reads PG* variables, where that is installed. This driver contains only a pool that ignores TypeORM's options
 * and takes the same discrete fields as every other session.
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
      // The pool does not listen to a session while it is lent, so a broken connection would end the process. Its query
      // fails by itself, and the pool discards the session on return.
      this.on('connect', (session) => session.on('error', () => {}));
    }
  }
  return { Pool: ConfiguredPool };
}
