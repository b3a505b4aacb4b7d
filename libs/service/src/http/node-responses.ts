import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { createId } from '../context/identifiers.js';
import type { ProblemCode } from '../problems/problem-codes.js';
import { Problem } from '../problems/problem.js';

type Expectation = 'continue' | 'unknown';
type SocketResponse = { readonly problem: Problem; readonly cause?: string };
type SecurityHeaders = Readonly<Record<string, string>>;

const codes: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'incomplete-request',
};
const expectations = new WeakMap<IncomingMessage, Expectation>();

/** Sockets whose last response is being sent, although more bytes of the request may arrive. */
const closing = new WeakSet<Duplex>();

/** Sockets whose request has its own time limit, longer than that of Node. */
const receiving = new WeakSet<Duplex>();

/**
 * Keeps Node's time limit for requests from ending this one. The reader of the body limits its time.
 *
 * @returns undoes it
 */
export function expectLongBody({ socket }: IncomingMessage): () => void {
  receiving.add(socket);
  return () => void receiving.delete(socket);
}

/** After this, errors on the socket get no response: only the rest of the rejected request can arrive. */
export function expectNoMore({ socket }: IncomingMessage): void {
  closing.add(socket);
}

/**
 * The `Expect` header of a request that waits before it sends its body. The pipeline responds to it instead of Node.
 */
export function expectationOf(request: IncomingMessage): Expectation | undefined {
  return request.headers.expect === undefined ? undefined : expectations.get(request);
}

/** Tells the client to send the body that it holds back. */
export function inviteBody(request: IncomingMessage, response: ServerResponse): void {
  expectations.delete(request);
  response.writeContinue();
}

/**
 * Replaces the responses that Node's server would send without the pipeline: `Expect` becomes an ordinary request,
 * CONNECT gets a problem. Server options pass requests without Host to the pipeline; the handler below gets invalid
 * HTTP.
 */
export function replaceNodeResponses(
  server: Server,
  respond: (socket: Duplex, response: SocketResponse) => void,
): void {
  const pass = (expectation: Expectation) => (request: IncomingMessage, response: ServerResponse) => {
    expectations.set(request, expectation);
    server.emit('request', request, response);
  };
  server.on('checkContinue', pass('continue'));
  server.on('checkExpectation', pass('unknown'));
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    // RFC 9110, 10.2.1: an empty list means that the target supports no method.
    respond(socket, { problem: new Problem('method-not-allowed', { headers: { allow: '' } }), cause: 'CONNECT' });
  });
}

/** Other upgrades, such as that to HTTP/2, are ignored, as RFC 9110 (7.8) allows. */
export function isForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** Invalid HTTP never becomes a request. It gets a problem on its socket, and is logged. */
export function createClientErrorHandler(respond: (socket: Duplex, response: SocketResponse) => void) {
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && receiving.has(socket)) return;
    if (closing.has(socket)) return void socket.end();
    const code = codes[error.code ?? ''] ?? 'malformed-request';
    respond(socket, { problem: new Problem(code), ...(error.code && { cause: error.code }) });
  };
}

/** Writes the response to the raw socket and closes it. */
export function createSocketResponder(security: SecurityHeaders, logger: Logger | undefined) {
  return (socket: Duplex, { problem, cause }: SocketResponse): void => {
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
