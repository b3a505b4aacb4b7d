import { randomBytes } from 'node:crypto';
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TraceContext } from '../context/identifiers.js';
import { currentContext } from '../context/request-context.js';
import type { ObservedJob } from './observer.js';
import type { OutgoingOperation } from './outgoing-operation.js';

const SEND_EVERY_MS = 2_000;
const FIRST_SERVER_ERROR = 500;

/**
 * A server span for each request and a consumer span for each run of a job, created after the response, with the ids that the outgoing calls have already sent.
 * Each outgoing call has a client span below it. Routes are patterns; addresses, queries, headers and bodies are not
 * exported.
 */
export class Spans {
  readonly #ids = new GivenIds();
  readonly #provider: TracerProvider;
  readonly #tracer;

  constructor({ exporter, resource }: { exporter: SpanExporter; resource: Resource }) {
    this.#provider = new TracerProvider({
      idGenerator: this.#ids,
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      resource,
      spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS })],
    });
    this.#tracer = this.#provider.getTracer('airlock');
  }

  addRequest(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routeOptions.url ?? 'none';
    const endTime = Date.now();
    const context = request.context.trace;
    const options = {
      kind: SpanKind.SERVER,
      startTime: endTime - reply.elapsedTime,
      attributes: {
        'http.request.method': request.method,
        'http.route': route,
        'http.response.status_code': reply.statusCode,
        'airlock.request_id': request.context.requestId,
      },
    };
    const span = this.#ids.give(context, () =>
      this.#tracer.startSpan(`${request.method} ${route}`, options, createParent(context, context.parentId)),
    );
    if (reply.statusCode >= FIRST_SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endTime);
  }

  /** A span below that of the request which sent the job, for each run. */
  addJob({ name, outcome, attempt, durationMs, requestId, trace: context }: ObservedJob): void {
    const endTime = Date.now();
    const options = {
      kind: SpanKind.CONSUMER,
      startTime: endTime - durationMs,
      attributes: {
        'messaging.system': 'pg-boss',
        'messaging.operation.name': 'process',
        'messaging.destination.name': name,
        'airlock.job.outcome': outcome,
        'airlock.job.attempt': attempt,
        'airlock.request_id': requestId,
      },
    };
    const span = this.#ids.give(context, () =>
      this.#tracer.startSpan(`process ${name}`, options, createParent(context, context.parentId)),
    );
    if (outcome === 'failed' || outcome === 'dead') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endTime);
  }

  /** @returns undefined outside a request, because such work does not belong to a trace */
  startOperation({ name, attributes }: OutgoingOperation): Span | undefined {
    const context = currentContext()?.trace;
    if (!context) return undefined;
    return this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, createParent(context, context.spanId));
  }

  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }
}

function createParent({ traceId, isSampled }: TraceContext, spanId: string | undefined) {
  if (spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** A server span gets the ids that its request already has. Any other span gets new ids. */
class GivenIds {
  #given: Pick<TraceContext, 'traceId' | 'spanId'> | undefined;

  give<T>(ids: Pick<TraceContext, 'traceId' | 'spanId'>, use: () => T): T {
    this.#given = ids;
    try {
      return use();
    } finally {
      this.#given = undefined;
    }
  }

  generateTraceId = (): string => this.#given?.traceId ?? randomBytes(16).toString('hex');
  generateSpanId = (): string => this.#given?.spanId ?? randomBytes(8).toString('hex');
}
