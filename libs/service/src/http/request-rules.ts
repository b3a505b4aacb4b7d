import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.js';
import { BODY_LIMIT_BYTES } from './body-parser.js';
import { expectationOf, expectNoMore, inviteBody } from './node-responses.js';

/** The characters of host and port. A comma is not allowed, because it joins several Host headers (RFC 9112, 3.2). */
const HOST = /^[\w.~!$&'()*+;=%:[\]-]*$/;
const CLOSE = { connection: 'close' };

/** Checks the requirements of HTTP itself before any other work. */
export function installRequestRules(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    try {
      assertReadable(request);
      if (isOptionsAlone(request)) reply.callNotFound();
      else done();
    } catch (error) {
      done(error as Error);
    }
  });
  // An unread body would be parsed as the next request, or the connection would wait for it without limit.
  server.addHook('onSend', (request, reply, _, done) => {
    if (hasOpenBody(request)) {
      reply.header('connection', 'close');
      expectNoMore(request.raw);
    }
    done();
  });
}

/** Checks the headers of a body before the client may send it. Install this after authentication and limits. */
export function installBodyRules(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    try {
      if (hasBody(request)) assertBodyHeaders(request);
      if (expectationOf(request.raw) === 'continue') inviteBody(request.raw, reply.raw);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

function assertReadable({ raw, headers, url }: FastifyRequest): void {
  const { host } = headers;
  if (host === undefined ? raw.httpVersion !== '1.0' : !HOST.test(host)) {
    throw new Problem('malformed-request', {
      detail: 'The request must have exactly one Host header.',
      headers: CLOSE,
    });
  }
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    const detail = 'The only supported transfer coding is chunked.';
    throw new Problem('malformed-request', { detail, headers: CLOSE });
  }
  if (expectationOf(raw) === 'unknown') throw new Problem('expectation-failed');
  assertQuery(url);
}

/** CORS has a route for preflights of every address. Any other OPTIONS request is an unsupported method. */
function isOptionsAlone({ method, headers, routeOptions }: FastifyRequest): boolean {
  if (method !== 'OPTIONS' || routeOptions.url !== '*') return false;
  return headers.origin === undefined || headers['access-control-request-method'] === undefined;
}

/** The router rejects a path that cannot be decoded, but accepts any query. */
function assertQuery(url: string): void {
  const start = url.indexOf('?');
  if (start < 0 || !url.includes('%', start)) return;
  try {
    decodeURIComponent(url.slice(start + 1));
  } catch (cause) {
    throw new Problem('malformed-request', { detail: 'The query is not validly encoded.', cause });
  }
}

function assertBodyHeaders({ headers, routeOptions }: FastifyRequest): void {
  if (headers['content-encoding'] !== undefined) {
    const detail = 'The body must not have a Content-Encoding.';
    throw new Problem('unsupported-media-type', { detail, headers: { 'accept-encoding': 'identity' } });
  }
  if (Number(headers['content-length'] ?? 0) > routeOptions.bodyLimit) throw new Problem('body-too-large');
}

/** Whether the request has a body that will be read. */
function hasBody({ headers, method }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Whether the body is incomplete and too large to read, or will never arrive. Node reads and drops small bodies. */
function hasOpenBody({ raw, headers }: FastifyRequest): boolean {
  const length = headers['content-length'];
  if (length === undefined && headers['transfer-encoding'] === undefined) return false;
  if (expectationOf(raw) !== undefined) return true;
  return !raw.complete && (length === undefined || Number(length) > BODY_LIMIT_BYTES);
}
