import type { Config } from '@airlock/config';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { HttpPeers } from '../outbound/http-peers.js';
import { Outbound } from '../outbound/outbound.js';
import type { Metrics } from '../telemetry/prometheus-metrics.js';

export interface OutboundModuleContext {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The place through which everything leaves. */
@Module({})
export class OutboundModule {
  static forRoot(config: Config, { logger, metrics }: OutboundModuleContext): DynamicModule {
    const outbound = new Outbound({
      ...config,
      logger,
      onDeparture: (departure) => metrics.observeDeparture(departure),
    });
    return {
      module: OutboundModule,
      global: true,
      providers: [
        { provide: Outbound, useValue: outbound },
        { provide: HttpPeers, useFactory: () => new HttpPeers({ config, outbound, ...config.httpClient }) },
      ],
      exports: [Outbound, HttpPeers],
    };
  }
}
