import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Problem } from './problem.js';
import { translateError } from './translate-error.js';

export interface ProblemAnswer {
  readonly error: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly logger: Logger;
  /** Shows the cause to the caller: only where no user ever is. */
  readonly isDebug: boolean;
}

const FIRST_SERVER_ERROR = 500;

export function sendProblem({ error, request, reply, logger, isDebug }: ProblemAnswer): void {
  const problem = translateError(error);
  if (problem.status >= FIRST_SERVER_ERROR) logCause(problem, logger);
  if (reply.sent) return;
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send({ ...problem.describe(request.airlock.requestId), ...(isDebug && describeCause(problem)) });
}

function logCause(problem: Problem, logger: Logger): void {
  const error = problem.cause ?? problem;
  if (problem.code === 'internal-error') logger.error({ error }, 'request.failed');
  else logger.warn({ code: problem.code, error }, 'request.refused');
}

function describeCause({ cause }: Problem): object {
  return cause instanceof Error ? { debug: { name: cause.name, message: cause.message } } : {};
}
