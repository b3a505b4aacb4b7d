import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Observer } from '../observability/observers.js';
import type { KnownRoutes } from './known-routes.js';
import { Problem } from './problem.js';
import { translateError } from './translate-error.js';

export interface ProblemAnswer {
  readonly error: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly logger: Logger;
  readonly routes: KnownRoutes;
  /** Shows the cause to the caller: only where no user ever is. */
  readonly isDebug: boolean;
  /** Hears of errors that nobody foresaw. */
  readonly observer: Observer | undefined;
}

const FIRST_SERVER_ERROR = 500;

export function sendProblem({ error, request, reply, logger, routes, isDebug, observer }: ProblemAnswer): void {
  const problem = request.is404 ? describeUnknownRoute(request, routes) : describeError(error, request);
  if (problem.status >= FIRST_SERVER_ERROR) logCause(problem, logger);
  if (problem.code === 'internal-error') report(problem, request, observer);
  if (reply.sent) return;
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send({ ...problem.describe(request.airlock.requestId), ...(isDebug && describeCause(problem)) });
}

/** A request of which there was not yet all when its time was up has not been worked on: that is for its sender to mend. */
function describeError(error: unknown, { raw }: FastifyRequest): Problem {
  const problem = translateError(error);
  const isSlow = problem.code === 'request-timeout' && raw.complete === false;
  return isSlow ? new Problem('incomplete-request', { cause: error, headers: { connection: 'close' } }) : problem;
}

/** An address that exists for other methods is told apart from one that does not exist. */
function describeUnknownRoute({ url }: FastifyRequest, routes: KnownRoutes): Problem {
  const methods = routes.methodsOf(url.replace(/\?.*$/, ''));
  if (methods.length === 0) return new Problem('not-found');
  return new Problem('method-not-allowed', { headers: { allow: methods.join(', ') } });
}

function logCause(problem: Problem, logger: Logger): void {
  const error = problem.cause ?? problem;
  if (problem.code === 'internal-error') logger.error({ error }, 'request.failed');
  else logger.warn({ code: problem.code, error }, 'request.refused');
}

function report(problem: Problem, request: FastifyRequest, observer: Observer | undefined): void {
  const route = request.routeOptions.url ?? 'none';
  observer?.onError?.(problem.cause ?? problem, { requestId: request.airlock.requestId, route });
}

function describeCause({ cause }: Problem): object {
  return cause instanceof Error ? { debug: { name: cause.name, message: cause.message } } : {};
}
