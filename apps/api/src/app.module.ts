import type { Config } from '@airlock/config';
import { AirlockConfigModule } from '@airlock/config/nest';
import { DatabaseModule } from '@airlock/database';
import { model } from '@airlock/model';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuthModule } from './auth/auth.module.js';
import { DataModule } from './data/data.module.js';
import { EntitiesModule } from './entities/entities.module.js';

export interface AppModuleContext {
  readonly logger: Logger;
  readonly imports: readonly DynamicModule[];
}

/** What the API is made of. */
@Module({})
export class AppModule {
  static forRoot(config: Config, { logger, imports }: AppModuleContext): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AirlockConfigModule.forRoot(config),
        DatabaseModule.forLater(config, { printSql: createSqlPrinter(logger) }),
        DataModule.forRoot(logger, model),
        AuthModule.forRoot(logger),
        EntitiesModule,
        ...imports,
      ],
    };
  }
}

/** DB_ECHO asks for statements by name, so they are no detail of the framework. */
function createSqlPrinter(logger: Logger) {
  return {
    log: (sql: string) => logger.info({ sql }, 'sql'),
    warn: (sql: string) => logger.warn({ sql }, 'sql'),
  };
}
