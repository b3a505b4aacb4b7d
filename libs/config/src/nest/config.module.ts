import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import type { Config } from '../load/create-config.js';
import { namespaceNames, provideNamespace } from './namespaces.js';

/** Provides the sections of the loaded config in Nest. Nest itself reads neither files nor the process environment. */
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
    return { module: AirlockConfigModule, imports: [inner] };
  }
}
