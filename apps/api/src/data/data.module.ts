import type { Config } from '@airlock/config';
import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { CursorCodec } from './cursor.js';
import { Database } from './database.js';
import { Pages } from './pages.js';
import { ReadCaches } from './read-caches.js';
import { createRedis, REDIS, type Redis } from './redis.js';

/** After the last request has been answered, not before. */
@Injectable()
class RedisCloser implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: Redis | undefined) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.redis?.status === 'ready') await this.redis.quit().catch(() => undefined);
    this.redis?.disconnect();
  }
}

/** How every resource reaches its rows. */
@Module({})
export class DataModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: DataModule,
      global: true,
      providers: [
        Database,
        Pages,
        RedisCloser,
        { provide: CursorCodec, useFactory: () => new CursorCodec(config.secretKey) },
        { provide: REDIS, useFactory: () => createRedis(config, logger) },
        {
          provide: ReadCaches,
          inject: [REDIS],
          useFactory: (redis: Redis | undefined) => new ReadCaches(redis, config.environment),
        },
      ],
      exports: [Database, Pages, ReadCaches, REDIS],
    };
  }
}
