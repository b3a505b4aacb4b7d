import { HEALTH_PATHS } from '@airlock/health';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Refusal } from '../context/request-context.js';
import { createFlatLogger } from '../logging/logger.js';
import type { RequestLine } from '../logging/request-line.js';
import type { Observer } from '../telemetry/observer.js';
import type { Metrics } from '../telemetry/prometheus-metrics.js';

export interface Listeners {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observer: Observer | undefined;
}

export type RecordResponse = (request: FastifyRequest, reply: FastifyReply) => void;

/** Records each response in the log, the metrics and the observer. Probes are left out, because they are too many. */
export function createRecordResponse({ logger, metrics, observer }: Listeners): RecordResponse {
  const requests = createFlatLogger(logger);
  return (request, reply) => {
    if (HEALTH_PATHS.has(request.routeOptions.url ?? '')) return;
    // The duration of a stream says how long its client stayed.
    if (!request.context.isStream) {
      metrics.observe(request, reply);
      observer?.onRequest?.(request, reply);
    }
    logRequest(requests, request, reply);
  };
}

/** One line for each request. The query string is left out, because it may contain personal data. */
function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { url } = request;
  const end = url.indexOf('?');
  const fields: RequestLine = {
    method: request.method,
    path: end < 0 ? url : url.slice(0, end),
    route: request.routeOptions.url ?? null,
    status_code: reply.statusCode,
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    user: request.context.userId ?? null,
    ...(request.context.closeCode !== undefined && { close_code: request.context.closeCode }),
    ...(request.context.refusal && describeRefusal(request.context.refusal)),
  };
  if (reply.statusCode >= 500) logger.error(fields, 'request');
  // At the default level of every environment.
  else if (request.context.refusal) logger.warn(fields, 'request');
  else logger.info(fields, 'request');
}

/** docs/runbooks/refused-tokens.md lists the reasons. */
function describeRefusal({ reason, claim, seconds }: Refusal): object {
  return {
    auth_refusal: reason,
    ...(claim !== undefined && { auth_claim: claim }),
    ...(seconds !== undefined && { auth_seconds: seconds }),
  };
}
