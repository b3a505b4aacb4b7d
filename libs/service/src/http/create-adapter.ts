import type { Config } from '@airlock/config';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { RecordResponse } from './access-log.js';
import { BODY_LIMIT_BYTES } from './body-parser.js';
import { createFrameworkErrorHandler } from './framework-errors.js';
import {
  createClientErrorHandler,
  createSocketResponder,
  isForWebSocket,
  replaceNodeResponses,
} from './node-responses.js';
import type { OpenContext } from './open-context.js';
import { createSecurityHeaders } from './security-headers.js';

const SECOND = 1_000;
/** Must be longer than the idle timeout of every proxy in front, or a socket could close while a request arrives. */
const KEEP_ALIVE_MS = 95 * SECOND;
/** From the opening of a connection, or the first byte of a later request, to the last byte of the request. */
const RECEIVE_TIMEOUT_MS = 30 * SECOND;
/** How often Node checks these timeouts. */
const CHECK_MS = SECOND;
const MAX_HEADER_BYTES = 16 * 1024;
/**
 * The router itself would respond to a longer parameter, without the pipeline. The schema of the route rejects it
 * instead.
 */
const MAX_PARAMETER_LENGTH = MAX_HEADER_BYTES;

export interface AdapterOptions {
  readonly openContext: OpenContext;
  readonly recordResponse: RecordResponse;
  /** Logs requests that could not be parsed. */
  readonly logger?: Logger;
}

export function createAdapter(config: Config, { openContext, recordResponse, logger }: AdapterOptions): FastifyAdapter {
  const respond = createSocketResponder(createSecurityHeaders(config.environment), logger);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    clientErrorHandler: createClientErrorHandler(respond),
    forceCloseConnections: 'idle',
    frameworkErrors: createFrameworkErrorHandler(openContext, recordResponse),
    handlerTimeout: config.http.requestTimeoutMs,
    http: {
      connectionsCheckingInterval: CHECK_MS,
      // Node would drop a second Host or Content-Type header, although a proxy may have used it.
      joinDuplicateHeaders: true,
      maxHeaderSize: MAX_HEADER_BYTES,
      requireHostHeader: false,
      shouldUpgradeCallback: isForWebSocket,
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: Math.min(RECEIVE_TIMEOUT_MS, config.http.requestTimeoutMs),
    // A draining process keeps serving: a 503 here would lose the requests that a proxy still sends.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
    trustProxy: (_: string, hop: number) => hop < config.http.trustedProxyHops,
  });
  replaceNodeResponses(adapter.getInstance().server, respond);
  return adapter;
}

/**
 * No route has a JSON schema. Without these compilers Fastify would load its own, a fifth of the code loaded at start.
 */
function refuseSchema(): never {
  throw new Error('a route has a JSON schema of Fastify; expected its zod schema in the controller');
}
