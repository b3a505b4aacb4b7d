import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

/** One line for each request. The query string is left out: it may hold what people typed. */
export function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { url } = request;
  const end = url.indexOf('?');
  const fields = {
    method: request.method,
    path: end < 0 ? url : url.slice(0, end),
    route: request.routeOptions.url ?? null,
    status_code: reply.statusCode,
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    user: request.airlock.userId ?? null,
  };
  if (reply.statusCode >= 500) logger.error(fields, 'request');
  else logger.info(fields, 'request');
}
