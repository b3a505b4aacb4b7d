import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { NoteAnswer } from './access-log.js';
import { createId } from './identifiers.js';
import { Problem } from './problem.js';
import type { ProblemCode } from './problems.js';
import { RequestContext, runInContext } from './request-context.js';

const codes: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'incomplete-request',
};

type SecurityHeaders = Readonly<Record<string, string>>;

/** An address that cannot be decoded has no route, and so passes no hook: what hooks do is done here. */
export function createFrameworkErrorHandler(security: SecurityHeaders, noteAnswer: NoteAnswer) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = new Problem('malformed-request', { detail: 'The address is not validly encoded.', cause: error });
    const context = new RequestContext(request.raw.headers);
    request.airlock = context;
    const ids = { 'x-request-id': context.requestId, 'x-correlation-id': context.correlationId };
    void reply
      .code(problem.status)
      .headers({ ...security, ...ids })
      .type('application/problem+json; charset=utf-8')
      .send(problem.describe(context.requestId));
    runInContext(context, () => noteAnswer(request, reply));
  };
}

/** What is no HTTP never becomes a request: it is answered here, as a problem too. */
export function createClientErrorHandler(security: SecurityHeaders) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (socket.writable) socket.write(createAnswer(codes[error.code ?? ''] ?? 'malformed-request', security));
    socket.destroySoon();
  };
}

function createAnswer(code: ProblemCode, security: SecurityHeaders): string {
  const problem = new Problem(code);
  const requestId = createId();
  const body = JSON.stringify(problem.describe(requestId));
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...Object.entries(security).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
