import type { Config } from '@airlock/config';
import { checkSchema, DatabaseModule, openDataSource, openRunner } from '@airlock/database';
import { Parcel } from '@airlock/database/sample';
import { Test } from '@nestjs/testing';
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type Repository } from 'typeorm';
import { Database, type DatabaseOptions } from './database.js';

export interface DataWorld {
  readonly database: Database;
  /** As Nest injects it, outside of any transaction. */
  readonly injected: Repository<Parcel>;
  readonly close: () => Promise<void>;
}

/** The data access of a service, with the limits of the config. */
export async function openDataWorld(config: Config, options: Partial<DatabaseOptions> = {}): Promise<DataWorld> {
  // The pool warns of each idle session that an administrator ends.
  const printSql = { log: () => undefined, warn: () => undefined };
  const imports = [DatabaseModule.forRootUnconnected(config, { printSql }), TypeOrmModule.forFeature([Parcel])];
  const module = await Test.createTestingModule({ imports }).compile();
  const dataSource = module.get(DataSource);
  await openDataSource(dataSource, config);
  const { statementTimeoutMs, poolSize } = config.database;
  return {
    database: new Database(dataSource, {
      statementTimeoutMs,
      poolSize,
      transactionTimeoutMs: 10_000,
      service: 'spec',
      openRunner: () => openRunner(dataSource),
      constraints: {},
      checkSchema: (session) => checkSchema(session, []),
      ...options,
    }),
    injected: module.get<Repository<Parcel>>(getRepositoryToken(Parcel)),
    close: () => module.close(),
  };
}

export function withPoolSize(config: Config, poolSize: number): Config {
  return { ...config, database: { ...config.database, poolSize } };
}
