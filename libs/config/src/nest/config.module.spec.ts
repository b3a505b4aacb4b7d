import { Inject, Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../load/load-config.js';
import { goodEnvironments } from '../testing/index.js';
import {
  AirlockConfigModule,
  type ConfigType,
  databaseConfig,
  redisConfig,
  serviceConfig,
  AppConfig,
} from './index.js';

@Injectable()
class Consumer {
  constructor(
    @Inject(serviceConfig.KEY) readonly service: ConfigType<typeof serviceConfig>,
    @Inject(databaseConfig.KEY) readonly database: ConfigType<typeof databaseConfig>,
    @Inject(redisConfig.KEY) readonly redis: ConfigType<typeof redisConfig>,
    readonly config: AppConfig,
  ) {}
}

describe('AirlockConfigModule', () => {
  const config = loadConfig({ env: goodEnvironments.testing, files: false });

  it('injects the sections of the config itself, typed and frozen', async () => {
    const consumer = await resolve(Consumer);
    const port: number = consumer.service.port;
    expect(port).toBe(8000);
    expect(consumer.service).toBe(config.service);
    expect(consumer.database).toBe(config.database);
    expect(consumer.redis).toBeUndefined();
  });

  it('injects the whole config by its type', async () => {
    const { config: injected } = await resolve(Consumer);
    const port: number = injected.service.port;
    expect(port).toBe(8000);
    expect(injected).toBe(config);
  });

  it('does not read the process environment', async () => {
    const service = await resolve(ConfigService);
    expect(service.get('PATH')).toBeUndefined();
  });

  it('reports the missing import if a section is injected without the module', () => {
    expect(() => serviceConfig()).toThrow(
      'service config: is not provided; import AirlockConfigModule.forRoot(config)',
    );
  });

  async function resolve<T>(type: new (...args: never[]) => T): Promise<T> {
    const imports = [AirlockConfigModule.forRoot(config)];
    const module = await Test.createTestingModule({ imports, providers: [Consumer] }).compile();
    return module.get(type);
  }
});
