import type { Config } from '@airlock/config';
import { AirlockConfigModule } from '@airlock/config/nest';
import { DatabaseModule } from '@airlock/database';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { createSqlPrinter } from '../logging/sql-printer.js';
import { AuthModule } from './auth.module.js';
import { DataModule } from './data.module.js';
import type { Metrics } from '../telemetry/prometheus-metrics.js';
import { OutboundModule } from './outbound.module.js';
import { FilesModule } from './files.module.js';
import { JobsModule } from './jobs.module.js';
import { withOperations } from '../operations/operations.module.js';
import type { ServiceDefinition } from './service-definition.js';

export interface RootModuleContext {
  readonly definition: ServiceDefinition;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly imports: readonly DynamicModule[];
}

/** The service and the resources of the app. */
@Module({})
export class RootModule {
  static forRoot(config: Config, { definition, logger, metrics, imports }: RootModuleContext): DynamicModule {
    return {
      module: RootModule,
      imports: [
        AirlockConfigModule.forRoot(config),
        DatabaseModule.forRootUnconnected(config, {
          printSql: createSqlPrinter(logger),
          loadEntities: definition.loadEntities,
        }),
        DataModule.forRoot(definition, logger),
        OutboundModule.forRoot(config, { logger, metrics }),
        FilesModule.forRoot(config, logger),
        JobsModule.forRoot(definition, logger),
        AuthModule.forRoot(definition, logger),
        ...definition.jobModules,
        withOperations(definition.module),
        ...imports,
      ],
    };
  }
}
