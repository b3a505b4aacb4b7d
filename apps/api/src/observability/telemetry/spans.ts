import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { TraceContext } from '../http/identifiers.js';
import type { Observer } from './observers.js';

export interface TracingOptions {
  readonly config: Pick<Config, 'environment' | 'service'>;
  readonly version: Version;
}

const SEND_EVERY_MS = 2_000;
const SEND_TIMEOUT_MS = 5_000;
const FIRST_SERVER_ERROR = 500;

/**
 * A server span for each request, made when it has been answered, with the ids that its outgoing calls have carried. Routes
 * are patterns; addresses, queries, headers and bodies stay here.
 */
export function createTracing(endpoint: string, { config, version }: TracingOptions): Observer {
  const ids = new GivenIds();
  const provider = new TracerProvider({
    idGenerator: ids,
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    resource: resourceFromAttributes({
      'service.name': config.service.name,
      'service.version': version.commit ?? version.version,
      'service.instance.id': String(process.pid),
      'deployment.environment.name': config.environment,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({
          url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
          timeoutMillis: SEND_TIMEOUT_MS,
        }),
        scheduledDelayMillis: SEND_EVERY_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('airlock');
  return {
    onRequest(request, reply) {
      const route = request.routeOptions.url ?? 'none';
      const endTime = Date.now();
      const context = request.airlock.trace;
      ids.next = context;
      const span = tracer.startSpan(
        `${request.method} ${route}`,
        {
          kind: SpanKind.SERVER,
          startTime: endTime - reply.elapsedTime,
          attributes: {
            'http.request.method': request.method,
            'http.route': route,
            'http.response.status_code': reply.statusCode,
            'airlock.request_id': request.airlock.requestId,
          },
        },
        createParent(context),
      );
      if (reply.statusCode >= FIRST_SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endTime);
    },
    close: (timeoutMs) =>
      Promise.race([provider.shutdown().catch(() => undefined), sleep(timeoutMs, undefined, { ref: false })]),
  };
}

function createParent({ traceId, parentId, isSampled }: TraceContext) {
  if (parentId === undefined) return ROOT_CONTEXT;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentId, traceFlags, isRemote: true });
}

/** The span gets the ids that the request has had all along. */
class GivenIds {
  next: Pick<TraceContext, 'traceId' | 'spanId'> = { traceId: '', spanId: '' };

  generateTraceId = (): string => this.next.traceId;
  generateSpanId = (): string => this.next.spanId;
}
