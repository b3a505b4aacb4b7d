import type { Config } from '@airlock/config';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { NoteAnswer } from './access-log.js';
import { BODY_LIMIT_BYTES } from './body-parser.js';
import { createFrameworkErrorHandler } from './framework-errors.js';
import { createClientErrorHandler, createSocketAnswer, takeOverAnswers } from './node-answers.js';
import type { OpenContext } from './open-context.js';
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

export interface AdapterOptions {
  readonly openContext: OpenContext;
  readonly noteAnswer: NoteAnswer;
  /** Told of requests that could not be read. */
  readonly logger?: Logger;
}

export function createAdapter(config: Config, { openContext, noteAnswer, logger }: AdapterOptions): FastifyAdapter {
  const answer = createSocketAnswer(createSecurityHeaders(config.environment), logger);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    clientErrorHandler: createClientErrorHandler(answer),
    forceCloseConnections: 'idle',
    frameworkErrors: createFrameworkErrorHandler(openContext, noteAnswer),
    handlerTimeout: config.http.requestTimeoutMs,
    http: {
      connectionsCheckingInterval: CHECK_MS,
      // A second Host or Content-Type would be dropped, and another server on the way may have believed it.
      joinDuplicateHeaders: true,
      maxHeaderSize: MAX_HEADER_BYTES,
      requireHostHeader: false,
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: Math.min(RECEIVE_TIMEOUT_MS, config.http.requestTimeoutMs),
    // A draining process serves on: answering 503 here would lose the requests that a proxy still sends.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
    trustProxy: (_: string, hop: number) => hop < config.http.trustedProxyHops,
  });
  takeOverAnswers(adapter.getInstance().server, answer);
  return adapter;
}

/** No route has a JSON schema. Without compilers that say so Fastify loads its own, a fifth of all that a start reads. */
function refuseSchema(): never {
  throw new Error('a route has a JSON schema of Fastify; expected its zod schema in the controller');
}
