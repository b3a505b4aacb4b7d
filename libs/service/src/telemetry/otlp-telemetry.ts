import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Logger } from 'pino';
import { followOperations } from './follow-operations.js';
import type { Observer } from './observer.js';
import { noteDelivery } from './otlp-delivery.js';
import { Meters } from './otlp-meters.js';
import { Spans } from './otlp-spans.js';

export interface TelemetryOptions {
  readonly config: Pick<Config, 'environment' | 'service'>;
  readonly version: Version;
  readonly logger: Logger;
}

const SEND_TIMEOUT_MS = 5_000;

/** Traces and metrics over OTLP/HTTP. A receiver that is away, slow or broken costs what was to be sent and nothing else. */
export function createTelemetry(endpoint: string, { config, version, logger }: TelemetryOptions): Observer {
  const resource = resourceFromAttributes({
    'service.name': config.service.name,
    'service.version': version.commit ?? version.version,
    'service.instance.id': String(process.pid),
    'deployment.environment.name': config.environment,
  });
  const to = (signal: 'traces' | 'metrics') => ({
    url: `${endpoint.replace(/\/$/, '')}/v1/${signal}`,
    timeoutMillis: SEND_TIMEOUT_MS,
  });
  const note = (signal: string) => (isAway: boolean) =>
    isAway ? logger.warn({ signal }, 'telemetry.away') : logger.info({ signal }, 'telemetry.back');
  const spans = new Spans({ exporter: noteDelivery(new OTLPTraceExporter(to('traces')), note('traces')), resource });
  const meters = new Meters({
    exporter: noteDelivery(new OTLPMetricExporter(to('metrics')), note('metrics')),
    resource,
  });
  const unsubscribe = followOperations(spans, meters);
  return {
    onRequest(request, reply) {
      spans.addRequest(request, reply);
      meters.addRequest(request, reply);
    },
    watchPool: (read) => meters.watchPool(read),
    async close(timeoutMs) {
      unsubscribe();
      const sent = Promise.allSettled([spans.shutdown(), meters.shutdown()]);
      await Promise.race([sent, sleep(timeoutMs, undefined, { ref: false })]);
    },
  };
}
