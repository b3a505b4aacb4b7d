import { HEALTH_PATHS } from '@airlock/health';
import type { FastifyInstance } from 'fastify';
import type { LoadShedder } from './load-shedder.js';
import type { RateLimits } from './rate-limits.js';

/** Turns requests away before they cost anything: when there are too many of them, or too many of one address. */
export function installGate(
  server: FastifyInstance,
  { limits, shedder }: { limits: RateLimits; shedder: LoadShedder },
): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (HEALTH_PATHS.has(request.routeOptions.url ?? '')) return done();
    try {
      shedder.admit();
      limits.takeAddress(request.ip, reply);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}
