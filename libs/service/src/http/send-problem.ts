import { NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { CallerRefusal } from '../failures/caller-refusal.js';
import { translateError } from '../failures/translate-error.js';
import { Problem } from '../problems/problem.js';
import type { Observer } from '../telemetry/observer.js';
import type { KnownRoutes } from './known-routes.js';
import type { OpenContext } from './open-context.js';

export interface ProblemResponse {
  readonly error: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly openContext: OpenContext;
  readonly routes: KnownRoutes;
  readonly logger: Logger;
  /** Shows the cause to the caller. Only for environments without real users. */
  readonly isDebug: boolean;
  /** Receives unexpected errors. */
  readonly observer: Observer | undefined;
}

const FIRST_SERVER_ERROR = 500;

export function sendProblem({
  error,
  request,
  reply,
  openContext,
  routes,
  logger,
  isDebug,
  observer,
}: ProblemResponse): void {
  const context = openContext(request, reply);
  const isUnknown = request.is404 && error instanceof NotFoundException;
  const problem = isUnknown ? routes.describeUnknown(request) : describeError(error, request);
  if (problem.cause instanceof CallerRefusal) context.refusal = problem.cause;
  if (problem.status >= FIRST_SERVER_ERROR) logCause(problem, logger);
  if (problem.code === 'internal-error') report(problem, request, observer);
  if (reply.sent) return;
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send({ ...problem.describe(context.requestId), ...(isDebug && describeCause(problem)) });
}

/** A request that was still incomplete at the time limit was not processed: the error is the client's, not ours. */
function describeError(error: unknown, { raw }: FastifyRequest): Problem {
  const problem = translateError(error);
  const isSlow = problem.code === 'request-timeout' && raw.complete === false;
  return isSlow ? new Problem('incomplete-request', { cause: error, headers: { connection: 'close' } }) : problem;
}

function logCause(problem: Problem, logger: Logger): void {
  const error = problem.cause ?? problem;
  if (problem.code === 'internal-error') logger.error({ error }, 'request.failed');
  else logger.warn({ code: problem.code, error }, 'request.refused');
}

function report(problem: Problem, request: FastifyRequest, observer: Observer | undefined): void {
  const route = request.routeOptions.url ?? 'none';
  observer?.onError?.(problem.cause ?? problem, { requestId: request.context.requestId, route });
}

function describeCause({ cause }: Problem): object {
  return cause instanceof Error ? { debug: { name: cause.name, message: cause.message } } : {};
}
