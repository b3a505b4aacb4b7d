import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Health, HealthResponse } from './health.js';

/** The paths of the probes: without prefix, authentication, limits, logs and metrics. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/startupz', '/version']);

/** Registers the public probes. Fastify responds to HEAD with the same headers. */
export function registerHealthRoutes(server: FastifyInstance, health: Health): void {
  server.get('/healthz', (_, reply) => send(reply, health.healthz()));
  server.get('/readyz', async (_, reply) => send(reply, await health.readyz()));
  server.get('/startupz', async (_, reply) => send(reply, await health.startupz()));
  server.get('/version', (_, reply) => send(reply, health.version()));
}

function send(reply: FastifyReply, { statusCode, body }: HealthResponse): FastifyReply {
  return reply.code(statusCode).header('cache-control', 'no-store').send(body);
}
