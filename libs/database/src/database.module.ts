import type { Config } from '@airlock/config';
import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { createDataSource, type DataSourceChoices } from './data-source.js';
import { assertDataSourceIdentity } from './identity/assert-identity.js';

/** The one connection of an application; entities come from `TypeOrmModule.forFeature`. It closes at shutdown. */
@Module({})
export class DatabaseModule {
  static forRoot(config: Config, choices: Omit<DataSourceChoices, 'entities'> = {}): DynamicModule {
    const orm = TypeOrmModule.forRootAsync({
      useFactory: () => ({ type: 'postgres', autoLoadEntities: true, toRetry: () => false }),
      dataSourceFactory: (options) => openDataSource(config, { ...choices, entities: options?.entities ?? [] }),
    });
    return { module: DatabaseModule, imports: [orm], exports: [orm] };
  }
}

/** Connects, and goes no further when the database says that it belongs to another environment. */
async function openDataSource(config: Config, choices: DataSourceChoices): Promise<DataSource> {
  const dataSource = await createDataSource(config, choices).initialize();
  try {
    await assertDataSourceIdentity(dataSource, config);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}
