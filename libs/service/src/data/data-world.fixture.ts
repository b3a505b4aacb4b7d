import { checkSchema, DatabaseModule, openDataSource, openRunner } from '@airlock/database';
import { Parcel } from '@airlock/database/sample';
import type { TestDatabase } from '@airlock/database-dev/testing';
import { Test } from '@nestjs/testing';
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type Repository } from 'typeorm';
import { Database } from './database.js';

export interface DataWorld {
  readonly database: Database;
  /** As Nest injects it, outside of any transaction. */
  readonly injected: Repository<Parcel>;
  readonly close: () => Promise<void>;
}

/** The data access of a service on a test database, with three sessions. */
export async function openDataWorld(test: TestDatabase): Promise<DataWorld> {
  const config = { ...test.config, database: { ...test.config.database, poolSize: 3 } };
  const imports = [DatabaseModule.forRootUnconnected(config), TypeOrmModule.forFeature([Parcel])];
  const module = await Test.createTestingModule({ imports }).compile();
  const dataSource = module.get(DataSource);
  await openDataSource(dataSource, config);
  const { statementTimeoutMs, poolSize } = config.database;
  const options = { statementTimeoutMs, poolSize, transactionTimeoutMs: 10_000 };
  return {
    database: new Database(dataSource, {
      ...options,
      service: 'spec',
      openRunner: () => openRunner(dataSource),
      constraints: {},
      checkSchema: (session) => checkSchema(session, []),
    }),
    injected: module.get<Repository<Parcel>>(getRepositoryToken(Parcel)),
    close: () => module.close(),
  };
}
