import type { Config } from '@airlock/config';
import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { createDataSource, type DataSourceChoices } from './data-source.js';
import { assertDataSourceIdentity } from './identity/assert-identity.js';
import { findPoolerError } from './server.js';

/** The one connection of an application; entities come from `TypeOrmModule.forFeature`. It closes at shutdown. */
@Module({})
export class DatabaseModule {
  static forRoot(config: Config, choices: Omit<DataSourceChoices, 'entities'> = {}): DynamicModule {
    return createModule(config, choices, async (dataSource) => {
      await openDataSource(dataSource, config);
      return dataSource;
    });
  }

  /** For a service that answers probes before its database does: `openDataSource` is its task. */
  static forLater(config: Config, choices: Omit<DataSourceChoices, 'entities'> = {}): DynamicModule {
    return createModule(config, choices, (dataSource) => Promise.resolve(dataSource));
  }
}

/** Connects, and goes no further when the database says that it belongs to another environment. It can be tried again. */
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

function createModule(
  config: Config,
  choices: Omit<DataSourceChoices, 'entities'>,
  prepare: (dataSource: DataSource) => Promise<DataSource>,
): DynamicModule {
  const orm = TypeOrmModule.forRootAsync({
    useFactory: () => ({ type: 'postgres', autoLoadEntities: true, manualInitialization: true, toRetry: () => false }),
    dataSourceFactory: (options) =>
      prepare(createDataSource(config, { ...choices, entities: options?.entities ?? [] })),
  });
  return { module: DatabaseModule, imports: [orm], exports: [orm] };
}
