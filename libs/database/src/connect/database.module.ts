import type { Config } from '@airlock/config';
import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { createGuardedDataSource, type DataSourceChoices } from './data-source.js';
import { assertDataSourceIdentity } from '../identity/assert-identity.js';
import { findPoolerError } from '../identity/server.js';

/**
 * The only connection pool of an application; entities come from `TypeOrmModule.forFeature`. Probes are answered before
 * the database is reachable: `openDataSource` connects. The pool closes at shutdown.
 */
@Module({})
export class DatabaseModule {
  static forRootUnconnected(config: Config, choices: Omit<DataSourceChoices, 'entities'> = {}): DynamicModule {
    const orm = TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'postgres',
        autoLoadEntities: true,
        manualInitialization: true,
        toRetry: () => false,
      }),
      dataSourceFactory: (options) =>
        Promise.resolve(createGuardedDataSource(config, { ...choices, entities: options?.entities ?? [] })),
    });
    return { module: DatabaseModule, imports: [orm], exports: [orm] };
  }
}

/** Connects, and fails when the database belongs to another environment. The caller may retry. */
export async function openDataSource(dataSource: DataSource, config: Config): Promise<void> {
  try {
    await dataSource.initialize();
  } catch (error) {
    throw findPoolerError(error, config.database.app) ?? error;
  }
  try {
    await assertDataSourceIdentity(dataSource, config);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}
