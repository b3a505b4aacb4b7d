import type { Config } from '@airlock/config';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequestContext } from '../context/request-context.js';
import { createSecurityHeaders } from './security-headers.js';

export type OpenContext = (request: FastifyRequest, reply: FastifyReply) => RequestContext;

/** Gives a request its context and its answer the headers that every answer has; a second call changes nothing. */
export function createOpenContext({
  environment,
  observability,
}: Pick<Config, 'environment' | 'observability'>): OpenContext {
  const isTraced = observability.otlpEndpoint !== undefined;
  const securityHeaders = createSecurityHeaders(environment);
  return (request, reply) => {
    // The type knows of no request without one; those that never reach a hook have none.
    const known = request.context as RequestContext | null;
    if (known) return known;
    const context = new RequestContext(request.raw.headers, { isTraced });
    request.context = context;
    reply.headers(securityHeaders);
    reply.header('x-request-id', context.requestId).header('x-correlation-id', context.correlationId);
    return context;
  };
}
