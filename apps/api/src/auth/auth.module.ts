import type { Config } from '@airlock/config';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Logger } from 'pino';
import { HttpClient } from '../http-client/http-client.js';
import { REDIS, type Redis } from '../data/redis.js';
import { RateLimits } from '../http/rate-limits.js';
import { AuthGuard } from './auth.guard.js';
import { loadTokenRules } from './token-rules.js';
import { TokenVerifier } from './token-verifier.js';

@Module({})
export class AuthModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    const onFailure = (error: unknown) => logger.warn({ error }, 'auth.keys_not_loaded');
    const createVerifier = async (client: HttpClient) =>
      new TokenVerifier(await loadTokenRules(config, client), { onFailure });
    return {
      module: AuthModule,
      providers: [
        { provide: HttpClient, useFactory: () => new HttpClient(config.httpClient) },
        { provide: TokenVerifier, inject: [HttpClient], useFactory: createVerifier },
        {
          provide: RateLimits,
          inject: [REDIS],
          useFactory: (redis: Redis | undefined) => new RateLimits(config, redis),
        },
        { provide: APP_GUARD, useClass: AuthGuard },
      ],
      exports: [HttpClient, RateLimits],
    };
  }
}
