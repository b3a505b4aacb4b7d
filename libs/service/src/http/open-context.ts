import type { Config } from '@airlock/config';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequestContext } from '../context/request-context.js';
import { createSecurityHeaders } from './security-headers.js';

export type OpenContext = (request: FastifyRequest, reply: FastifyReply) => RequestContext;

/** Creates the context of a request and sets the headers of every response. A second call changes nothing. */
export function createOpenContext({
  environment,
  observability,
}: Pick<Config, 'environment' | 'observability'>): OpenContext {
  const isTraced = observability.otlpEndpoint !== undefined;
  const securityHeaders = createSecurityHeaders(environment);
  return (request, reply) => {
    // A request that reached no hook has no context, although its type says otherwise.
    const known = request.context as RequestContext | null;
    if (known) return known;
    const context = new RequestContext(request.raw.headers, { isTraced, response: reply.raw });
    request.context = context;
    reply.headers(securityHeaders);
    reply.header('x-request-id', context.requestId).header('x-correlation-id', context.correlationId);
    return context;
  };
}
