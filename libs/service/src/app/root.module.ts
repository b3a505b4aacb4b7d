import type { Config } from '@airlock/config';
import { AirlockConfigModule } from '@airlock/config/nest';
import { DatabaseModule } from '@airlock/database';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { createSqlPrinter } from '../logging/sql-printer.js';
import { AuthModule } from './auth.module.js';
import { DataModule } from './data.module.js';
import { JobsModule } from './jobs.module.js';
import type { ServiceDefinition } from './service-definition.js';

export interface RootModuleContext {
  readonly definition: ServiceDefinition;
  readonly logger: Logger;
  readonly imports: readonly DynamicModule[];
}

/** The service and the resources of the app. */
@Module({})
export class RootModule {
  static forRoot(config: Config, { definition, logger, imports }: RootModuleContext): DynamicModule {
    return {
      module: RootModule,
      imports: [
        AirlockConfigModule.forRoot(config),
        DatabaseModule.forRootUnconnected(config, {
          printSql: createSqlPrinter(logger),
          loadEntities: definition.loadEntities,
        }),
        DataModule.forRoot(definition, logger),
        JobsModule.forRoot(definition, logger),
        AuthModule.forRoot(logger),
        definition.module,
        ...imports,
      ],
    };
  }
}
