import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createId } from './identifiers.js';
import { Problem } from './problem.js';
import type { ProblemCode } from './problems.js';
import { RequestContext } from './request-context.js';

const codes: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** An address that cannot be decoded has no route, and so passes no hook. */
export function answerFrameworkError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const problem = new Problem('malformed-request', { detail: 'The address is not validly encoded.', cause: error });
  const { requestId, correlationId } = new RequestContext(request.raw.headers);
  void reply
    .code(problem.status)
    .headers({ 'x-request-id': requestId, 'x-correlation-id': correlationId, 'cache-control': 'no-store' })
    .type('application/problem+json; charset=utf-8')
    .send(problem.describe(requestId));
}

/** What is no HTTP never becomes a request: it is answered here, as a problem too. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(createAnswer(codes[error.code ?? ''] ?? 'malformed-request'));
  socket.destroySoon();
}

function createAnswer(code: ProblemCode): string {
  const problem = new Problem(code);
  const requestId = createId();
  const body = JSON.stringify(problem.describe(requestId));
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'cache-control: no-store',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
