import { HEALTH_PATHS, type Lifecycle } from '@airlock/health';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../problems/problem.js';
import { isUnknown, type KnownRoutes } from './known-routes.js';
import type { LoadShedder } from './load-shedder.js';
import type { RateLimits } from './rate-limits.js';

export interface GateOptions {
  readonly lifecycle: Lifecycle;
  readonly routes: KnownRoutes;
  readonly limits: RateLimits;
  readonly shedder: LoadShedder;
}

const RETRY = { 'retry-after': '2' };

/**
 * Rejects requests before any work: until the identity of the database was checked, when the process is overloaded, or
 * when an address has used up its limit.
 */
export function installGate(server: FastifyInstance, { lifecycle, routes, limits, shedder }: GateOptions): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (HEALTH_PATHS.has(request.routeOptions.url ?? '')) return done();
    try {
      if (lifecycle.phase === 'starting') throw new Problem('dependency-unavailable', { headers: RETRY });
      shedder.admit();
      limits.takeAddress(request.ip, reply);
      // An unknown address gets its error without a token and before the body is read.
      if (isUnknown(request)) throw routes.describeUnknown(request);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}
