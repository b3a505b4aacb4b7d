import type { Config } from '@airlock/config';
import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { openRunner } from './guarded-data-source.js';
import { createGuardedDataSource, type DataSourceChoices } from './data-source.js';
import type { Model } from '../model/product-model.js';
import { assertServiceIdentity } from '../identity/assert-identity.js';
import { findPoolerError } from '../identity/server.js';

type EntityClass = Awaited<ReturnType<Model['loadEntities']>>[number];

export interface DatabaseModuleChoices extends Omit<DataSourceChoices, 'entities'> {
  /** The entities of the product, besides those of `TypeOrmModule.forFeature`. */
  readonly loadEntities?: Model['loadEntities'];
}

/**
 * The only connection pool of an application. Probes are answered before
 * the database is reachable: `openDataSource` connects. The pool closes at shutdown.
 */
@Module({})
export class DatabaseModule {
  static forRootUnconnected(config: Config, choices: DatabaseModuleChoices = {}): DynamicModule {
    const { loadEntities = () => Promise.resolve([]), ...rest } = choices;
    const orm = TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'postgres',
        autoLoadEntities: true,
        manualInitialization: true,
        toRetry: () => false,
      }),
      dataSourceFactory: async (options) => {
        const ofFeatures = Object.values(options?.entities ?? []) as EntityClass[];
        const entities = [...new Set([...ofFeatures, ...(await loadEntities())])];
        return createGuardedDataSource(config, { ...rest, entities });
      },
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
  const runner = openRunner(dataSource);
  try {
    await assertServiceIdentity((await runner.connect()) as PoolClient, config);
    await runner.release();
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}
