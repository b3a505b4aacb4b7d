import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import type { Config } from '../load/create-config.js';
import { namespaceNames, provideNamespace } from './namespaces.js';
import { AppConfig } from './app-config.js';

/** Provides the loaded config and its sections in Nest. Nest itself reads neither files nor the process environment. */
@Module({})
export class AirlockConfigModule {
  static async forRoot(config: Config): Promise<DynamicModule> {
    const inner = await ConfigModule.forRoot({
      isGlobal: true,
      ignoreEnvFile: true,
      ignoreEnvVars: true,
      skipProcessEnv: true,
      load: namespaceNames.map((name) => provideNamespace(name, config)),
    });
    const providers = [{ provide: AppConfig, useValue: config }];
    return { module: AirlockConfigModule, global: true, imports: [inner], providers, exports: [AppConfig] };
  }
}
