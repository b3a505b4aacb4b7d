import { HEALTH_PATHS } from '@airlock/health';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Refusal } from '../context/request-context.js';
import { createFlatLogger } from '../logging/logger.js';
import type { Observer } from '../telemetry/observer.js';
import type { Metrics } from '../telemetry/prometheus-metrics.js';

export interface Listeners {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observer: Observer | undefined;
}

export type NoteAnswer = (request: FastifyRequest, reply: FastifyReply) => void;

/** Tells all who keep count of an answer; probes would drown everything else. */
export function createNoteAnswer({ logger, metrics, observer }: Listeners): NoteAnswer {
  const requests = createFlatLogger(logger);
  return (request, reply) => {
    if (HEALTH_PATHS.has(request.routeOptions.url ?? '')) return;
    metrics.observe(request, reply);
    observer?.onRequest?.(request, reply);
    logRequest(requests, request, reply);
  };
}

/** One line for each request. The query string is left out: it may hold what people typed. */
function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { url } = request;
  const end = url.indexOf('?');
  const fields = {
    method: request.method,
    path: end < 0 ? url : url.slice(0, end),
    route: request.routeOptions.url ?? null,
    status_code: reply.statusCode,
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    user: request.context.userId ?? null,
    ...(request.context.refusal && describeRefusal(request.context.refusal)),
  };
  if (reply.statusCode >= 500) logger.error(fields, 'request');
  else logger.info(fields, 'request');
}

/** The reasons are listed in docs/runbooks/refused-tokens.md. */
function describeRefusal({ reason, claim, seconds }: Refusal): object {
  return {
    auth_refusal: reason,
    ...(claim !== undefined && { auth_claim: claim }),
    ...(seconds !== undefined && { auth_seconds: seconds }),
  };
}
