import type { Config } from '@airlock/config';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { BODY_LIMIT_BYTES } from './body-parser.js';
import type { NoteAnswer } from './access-log.js';
import { createClientErrorHandler, createFrameworkErrorHandler } from './client-errors.js';
import { createSecurityHeaders } from './security-headers.js';

const SECOND = 1_000;
/** Longer than any proxy in front keeps an idle connection, or a socket dies under a request. */
const KEEP_ALIVE_MS = 95 * SECOND;
/** From the opening of a connection, or the first byte of a later request, to the last. No longer than an answer may take. */
const RECEIVE_TIMEOUT_MS = 30 * SECOND;
/** How late that may be noticed. */
const CHECK_MS = SECOND;
const MAX_HEADER_BYTES = 16 * 1024;
/** The router would answer a longer one itself, past the pipeline: the schema of the route is to refuse it. */
const MAX_PARAMETER_LENGTH = MAX_HEADER_BYTES;

export function createAdapter(config: Config, noteAnswer: NoteAnswer): FastifyAdapter {
  const security = createSecurityHeaders(config.environment);
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    clientErrorHandler: createClientErrorHandler(security),
    forceCloseConnections: 'idle',
    frameworkErrors: createFrameworkErrorHandler(security, noteAnswer),
    handlerTimeout: config.http.requestTimeoutMs,
    http: { connectionsCheckingInterval: CHECK_MS, maxHeaderSize: MAX_HEADER_BYTES },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: Math.min(RECEIVE_TIMEOUT_MS, config.http.requestTimeoutMs),
    // A draining process serves on: answering 503 here would lose the requests that a proxy still sends.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    trustProxy: (_: string, hop: number) => hop < config.http.trustedProxyHops,
  });
}
