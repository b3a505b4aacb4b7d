import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Logger } from 'pino';
import { followOperations } from './follow-operations.js';
import type { Observer } from './observer.js';
import { watchDelivery } from './otlp-delivery.js';
import { Meters } from './otlp-meters.js';
import { Spans } from './otlp-spans.js';

export interface TelemetryOptions {
  readonly config: Pick<Config, 'environment' | 'service' | 'outbound'>;
  readonly version: Version;
  readonly logger: Logger;
}

const SEND_TIMEOUT_MS = 5_000;

/** Traces and metrics over OTLP/HTTP. If the receiver is unavailable, slow or broken, only their data is lost. */
export function createTelemetry(endpoint: string, { config, version, logger }: TelemetryOptions): Observer {
  const resource = resourceFromAttributes({
    'service.name': config.service.name,
    'service.version': version.commit ?? version.version,
    'service.instance.id': String(process.pid),
    'deployment.environment.name': config.environment,
  });
  const { proxy } = config.outbound;
  const agentOptions = proxy === undefined ? {} : { proxyEnv: { http_proxy: proxy, https_proxy: proxy } };
  const to = (signal: 'traces' | 'metrics') => ({
    url: `${endpoint.replace(/\/$/, '')}/v1/${signal}`,
    timeoutMillis: SEND_TIMEOUT_MS,
    httpAgentOptions: { keepAlive: true, ...agentOptions },
  });
  const report = (signal: string) => (isUnavailable: boolean) =>
    isUnavailable ? logger.warn({ signal }, 'telemetry.unavailable') : logger.info({ signal }, 'telemetry.recovered');
  const spans = new Spans({ exporter: watchDelivery(new OTLPTraceExporter(to('traces')), report('traces')), resource });
  const meters = new Meters({
    exporter: watchDelivery(new OTLPMetricExporter(to('metrics')), report('metrics')),
    resource,
  });
  const unsubscribe = followOperations(spans, meters);
  return {
    onRequest(request, reply) {
      spans.addRequest(request, reply);
      meters.addRequest(request, reply);
    },
    onJob(run) {
      spans.addJob(run);
      meters.addJob(run);
    },
    watchPool: (read) => meters.watchPool(read),
    async close(timeoutMs) {
      unsubscribe();
      const sent = Promise.allSettled([spans.shutdown(), meters.shutdown()]);
      await Promise.race([sent, sleep(timeoutMs, undefined, { ref: false })]);
    },
  };
}
