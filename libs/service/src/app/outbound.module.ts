import { type ConfigType, environmentConfig, httpClientConfig, outboundConfig } from '@airlock/config/nest';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { HttpPeers } from '../outbound/http-peers.js';
import { Outbound } from '../outbound/outbound.js';
import type { Metrics } from '../telemetry/prometheus-metrics.js';

/** The place through which everything leaves. */
@Module({})
export class OutboundModule {
  static forRoot(logger: Logger, metrics: Metrics): DynamicModule {
    return {
      module: OutboundModule,
      global: true,
      providers: [
        {
          provide: Outbound,
          inject: [environmentConfig.KEY, outboundConfig.KEY],
          useFactory: (
            environment: ConfigType<typeof environmentConfig>,
            outbound: ConfigType<typeof outboundConfig>,
          ) =>
            new Outbound({
              environment,
              outbound,
              logger,
              onDeparture: (departure) => metrics.observeDeparture(departure),
            }),
        },
        {
          provide: HttpPeers,
          inject: [Outbound, httpClientConfig.KEY],
          useFactory: (outbound: Outbound, limits: ConfigType<typeof httpClientConfig>) =>
            new HttpPeers({ outbound, ...limits }),
        },
      ],
      exports: [Outbound, HttpPeers],
    };
  }
}
