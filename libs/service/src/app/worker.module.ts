import type { Config } from '@airlock/config';
import { AirlockConfigModule } from '@airlock/config/nest';
import { DatabaseModule } from '@airlock/database';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { createSqlPrinter } from '../logging/sql-printer.js';
import type { Metrics } from '../telemetry/prometheus-metrics.js';
import { DataModule } from './data.module.js';
import { FilesModule } from './files.module.js';
import { JobsModule } from './jobs.module.js';
import { OutboundModule } from './outbound.module.js';
import type { ProductDefinition } from './service-definition.js';

export interface WorkerModuleContext {
  readonly definition: ProductDefinition;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The rows, the files, the queues and the way out, and nothing that serves requests. */
@Module({})
export class WorkerModule {
  static forRoot(config: Config, { definition, logger, metrics }: WorkerModuleContext): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        AirlockConfigModule.forRoot(config),
        DatabaseModule.forRootUnconnected(config, {
          printSql: createSqlPrinter(logger),
          loadEntities: definition.loadEntities,
        }),
        DataModule.forRoot({ ...definition, constraints: [] }, logger),
        FilesModule.forRoot(config, logger),
        JobsModule.forRoot(definition, logger),
        OutboundModule.forRoot(config, { logger, metrics }),
        ...definition.jobModules,
      ],
    };
  }
}
