import {
  type ConfigType,
  databaseConfig,
  environmentConfig,
  httpConfig,
  redisConfig,
  secretKeyConfig,
  serviceConfig,
} from '@airlock/config/nest';
import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { openRunner } from '@airlock/database';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { ReadCaches } from '../cache/read-caches.js';
import { mergeConstraints } from '../data/constraints.js';
import { CursorCodec } from '../data/cursor.js';
import { Database } from '../data/database.js';
import { Pages } from '../data/pages.js';
import { Etags } from '../http/etags.js';
import type { Redis } from 'ioredis';
import { createRedis, REDIS } from '../redis/redis.js';
import type { ServiceDefinition } from './service-definition.js';

/** Closes Redis only after the last response. */
@Injectable()
class RedisCloser implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: Redis | undefined) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.redis?.status === 'ready') await this.redis.quit().catch(() => undefined);
    this.redis?.disconnect();
  }
}

type DataDefinition = Pick<ServiceDefinition, 'checkSchema' | 'constraints' | 'cachedTables'>;

/** Provides the access to rows that all resources share. */
@Module({})
export class DataModule {
  static forRoot(definition: DataDefinition, logger: Logger): DynamicModule {
    const { checkSchema, cachedTables: tables } = definition;
    const constraints = mergeConstraints(definition.constraints);
    return {
      module: DataModule,
      global: true,
      providers: [
        {
          provide: Database,
          inject: [DataSource, databaseConfig.KEY, httpConfig.KEY, serviceConfig.KEY],
          useFactory: (
            dataSource: DataSource,
            database: ConfigType<typeof databaseConfig>,
            { requestTimeoutMs }: ConfigType<typeof httpConfig>,
            { name }: ConfigType<typeof serviceConfig>,
          ) =>
            new Database(dataSource, {
              ...database,
              service: name,
              openRunner: () => openRunner(dataSource),
              transactionTimeoutMs: requestTimeoutMs,
              checkSchema,
              constraints,
            }),
        },
        Pages,
        RedisCloser,
        {
          provide: CursorCodec,
          inject: [secretKeyConfig.KEY, environmentConfig.KEY],
          useFactory: (key: ConfigType<typeof secretKeyConfig>, environment: ConfigType<typeof environmentConfig>) =>
            new CursorCodec(key, environment),
        },
        {
          provide: Etags,
          inject: [environmentConfig.KEY],
          useFactory: (environment: ConfigType<typeof environmentConfig>) => new Etags(environment),
        },
        {
          provide: REDIS,
          inject: [redisConfig.KEY, serviceConfig.KEY, environmentConfig.KEY],
          useFactory: (
            redis: ConfigType<typeof redisConfig>,
            service: ConfigType<typeof serviceConfig>,
            environment: ConfigType<typeof environmentConfig>,
          ) => createRedis({ redis, service, environment }, logger),
        },
        {
          provide: ReadCaches,
          inject: [Database, REDIS, environmentConfig.KEY],
          useFactory: (
            database: Database,
            redis: Redis | undefined,
            environment: ConfigType<typeof environmentConfig>,
          ) => new ReadCaches({ database, redis, environment, logger, tables }),
        },
      ],
      exports: [Database, Etags, Pages, ReadCaches, REDIS],
    };
  }
}
