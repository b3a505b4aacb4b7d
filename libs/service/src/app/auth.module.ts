import { authConfig, type ConfigType, environmentConfig, httpConfig } from '@airlock/config/nest';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { loadTokenRules } from '../auth/token-rules.js';
import { TokenVerifier } from '../auth/token-verifier.js';
import { HttpClient } from '../http-client/http-client.js';
import { RateLimits } from '../http/rate-limits.js';
import type { Redis } from 'ioredis';
import { REDIS } from '../redis/redis.js';
import { HttpClientModule } from './http-client.module.js';

@Module({})
export class AuthModule {
  static forRoot(logger: Logger): DynamicModule {
    const onFailure = (error: unknown) => logger.warn({ error }, 'auth.keys_not_loaded');
    const createVerifier = async (
      client: HttpClient,
      auth: ConfigType<typeof authConfig>,
      environment: ConfigType<typeof environmentConfig>,
    ) => new TokenVerifier(await loadTokenRules({ auth, environment }, client), { onFailure });
    return {
      module: AuthModule,
      imports: [HttpClientModule],
      providers: [
        {
          provide: TokenVerifier,
          inject: [HttpClient, authConfig.KEY, environmentConfig.KEY],
          useFactory: createVerifier,
        },
        {
          provide: RateLimits,
          inject: [REDIS, httpConfig.KEY, environmentConfig.KEY],
          useFactory: (
            redis: Redis | undefined,
            http: ConfigType<typeof httpConfig>,
            environment: ConfigType<typeof environmentConfig>,
          ) => new RateLimits({ http, environment }, redis),
        },
      ],
      exports: [HttpClientModule, RateLimits, TokenVerifier],
    };
  }
}
