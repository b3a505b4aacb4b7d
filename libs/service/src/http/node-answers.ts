import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { createId } from '../context/identifiers.js';
import type { ProblemCode } from '../problems/problem-codes.js';
import { Problem } from '../problems/problem.js';

type Expectation = 'continue' | 'unknown';
type Answer = { readonly problem: Problem; readonly cause?: string };
type SecurityHeaders = Readonly<Record<string, string>>;

const codes: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'incomplete-request',
};
const expectations = new WeakMap<IncomingMessage, Expectation>();

/** Sockets whose last answer is on its way, though more of the request may come. */
const closing = new WeakSet<Duplex>();

/** No error of the request that follows is answered any more: nothing but what was refused can come. */
export function expectNoMore({ socket }: IncomingMessage): void {
  closing.add(socket);
}

/** What the request waits for before it sends its body. Node has not answered it: the pipeline does. */
export function expectationOf(request: IncomingMessage): Expectation | undefined {
  return request.headers.expect === undefined ? undefined : expectations.get(request);
}

/** Invites the body that the client holds back. */
export function inviteBody(request: IncomingMessage, response: ServerResponse): void {
  expectations.delete(request);
  response.writeContinue();
}

/**
 * Takes over what Node's server would answer by itself, past the pipeline: `Expect` becomes an ordinary request, CONNECT a
 * problem. A missing Host is left to the pipeline by the options of the server, and what is not HTTP to the handler below.
 */
export function takeOverAnswers(server: Server, answer: (socket: Duplex, answer: Answer) => void): void {
  const pass = (expectation: Expectation) => (request: IncomingMessage, response: ServerResponse) => {
    expectations.set(request, expectation);
    server.emit('request', request, response);
  };
  server.on('checkContinue', pass('continue'));
  server.on('checkExpectation', pass('unknown'));
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    // RFC 9110, 10.2.1: an empty list says that the target supports no method.
    answer(socket, { problem: new Problem('method-not-allowed', { headers: { allow: '' } }), cause: 'CONNECT' });
  });
}

/** What is not HTTP never becomes a request: it is answered on its socket, as a problem too, and logged. */
export function createClientErrorHandler(answer: (socket: Duplex, answer: Answer) => void) {
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (closing.has(socket)) return void socket.end();
    const code = codes[error.code ?? ''] ?? 'malformed-request';
    answer(socket, { problem: new Problem(code), ...(error.code && { cause: error.code }) });
  };
}

/** Answers on the bare socket and closes it. */
export function createSocketAnswer(security: SecurityHeaders, logger: Logger | undefined) {
  return (socket: Duplex, { problem, cause }: Answer): void => {
    const requestId = createId();
    if (socket.writable) socket.end(render(problem, { ...security, 'x-request-id': requestId }, requestId));
    logger?.info(
      { request_id: requestId, code: problem.code, status_code: problem.status, cause },
      'request.unreadable',
    );
  };
}

function render(problem: Problem, headers: SecurityHeaders, requestId: string): string {
  const body = JSON.stringify(problem.describe(requestId));
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries({ ...headers, ...problem.headers }).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
