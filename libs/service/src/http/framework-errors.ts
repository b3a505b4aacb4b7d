import type { FastifyReply, FastifyRequest } from 'fastify';
import { runInContext } from '../context/request-context.js';
import { Problem } from '../problems/problem.js';
import type { RecordResponse } from './access-log.js';
import type { OpenContext } from './open-context.js';

/** An address that cannot be decoded has no route and runs no hooks, so this handler does their work. */
export function createFrameworkErrorHandler(openContext: OpenContext, recordResponse: RecordResponse) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = new Problem('malformed-request', { detail: 'The address is not validly encoded.', cause: error });
    const context = openContext(request, reply);
    void reply
      .code(problem.status)
      .type('application/problem+json; charset=utf-8')
      .send(problem.describe(context.requestId));
    runInContext(context, () => recordResponse(request, reply));
  };
}
