import type { Config } from '@airlock/config';
import { AirlockConfigModule } from '@airlock/config/nest';
import { DatabaseModule } from '@airlock/database';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { createSqlPrinter } from '../logging/sql-printer.js';
import { DataModule } from './data.module.js';
import { HttpClientModule } from './http-client.module.js';
import { JobsModule } from './jobs.module.js';
import type { ProductDefinition } from './service-definition.js';

/** The rows, the queues and the HTTP client, and nothing that serves requests. */
@Module({})
export class WorkerModule {
  static forRoot(config: Config, definition: ProductDefinition, logger: Logger): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        AirlockConfigModule.forRoot(config),
        DatabaseModule.forRootUnconnected(config, {
          printSql: createSqlPrinter(logger),
          loadEntities: definition.loadEntities,
        }),
        DataModule.forRoot({ ...definition, constraints: [] }, logger),
        JobsModule.forRoot(definition, logger),
        HttpClientModule,
      ],
    };
  }
}
