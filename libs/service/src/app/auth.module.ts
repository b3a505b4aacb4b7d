import { authConfig, type ConfigType, environmentConfig, httpConfig } from '@airlock/config/nest';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { loadTokenRules } from '../auth/token-rules.js';
import { TokenVerifier } from '../auth/token-verifier.js';
import { RateLimits } from '../http/rate-limits.js';
import { HttpPeers } from '../outbound/http-peers.js';
import type { Redis } from 'ioredis';
import { REDIS } from '../redis/redis.js';
import type { ServiceDefinition } from './service-definition.js';

@Module({})
export class AuthModule {
  static forRoot({ acceptsTokens = true }: Pick<ServiceDefinition, 'acceptsTokens'>, logger: Logger): DynamicModule {
    const onFailure = (error: unknown) => logger.warn({ error }, 'auth.keys_not_loaded');
    const createVerifier = async (
      peers: HttpPeers,
      auth: ConfigType<typeof authConfig>,
      environment: ConfigType<typeof environmentConfig>,
    ) =>
      acceptsTokens ? new TokenVerifier(await loadTokenRules({ auth, environment }, peers), { onFailure }) : undefined;
    return {
      module: AuthModule,
      providers: [
        {
          provide: TokenVerifier,
          inject: [HttpPeers, authConfig.KEY, environmentConfig.KEY],
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
      exports: [RateLimits, TokenVerifier],
    };
  }
}
