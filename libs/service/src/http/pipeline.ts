import cors from '@fastify/cors';
import type { Config } from '@airlock/config';
import type { Lifecycle } from '@airlock/health';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { onceClosed, type RequestContext, runInContext } from '../context/request-context.js';
import type { RecordResponse } from './access-log.js';
import { useJsonBodies } from './body-parser.js';
import type { OpenContext } from './open-context.js';
import { installRequestRules } from './request-rules.js';

export interface PipelineOptions {
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  readonly openContext: OpenContext;
  readonly recordResponse: RecordResponse;
}

const EXPOSED_HEADERS = [
  'etag',
  'location',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-correlation-id',
  'x-request-id',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'];
const PREFLIGHT_SECONDS = 600;
/** Never sent. The status by which proxies such as nginx record this. */
const CLIENT_LEFT = 499;

/** The hooks that every request passes, in this order, before it reaches a resource. */
export async function installPipeline(server: FastifyInstance, options: PipelineOptions): Promise<void> {
  const { config, lifecycle, openContext, recordResponse } = options;
  const record: RecordResponse = (request, reply) => {
    request.context.isRecorded = true;
    recordResponse(request, reply);
  };
  useJsonBodies(server);
  server.decorateRequest('context', null as unknown as RequestContext);

  server.addHook('onRequest', (request, reply, done) => {
    onceClosed(reply.raw, () => recordUnfinished(request, reply, record));
    runInContext(openContext(request, reply), done);
  });
  installRequestRules(server);

  // A body is read in the async context of the socket, not of the request, so the context is entered again.
  server.addHook('preValidation', (request, _, done) => runInContext(request.context, done));

  // While draining, every response tells its client to open the next connection elsewhere. Otherwise a socket that is
  // kept alive would delay the shutdown until its own timeout.
  server.addHook('onSend', (_, reply, __, done) => {
    if (lifecycle.isDraining) reply.header('connection', 'close');
    done();
  });

  server.addHook('onResponse', (request, reply, done) => {
    record(request, reply);
    done();
  });

  await allowOrigins(server, config.http.corsOrigins);
}

/** Fastify reports a response only if its last byte was sent, and not if its client left before. */
function recordUnfinished(request: FastifyRequest, reply: FastifyReply, record: RecordResponse): void {
  const { raw } = reply;
  const isWebSocket = reply.sent && !raw.writableEnded;
  if (request.context.isRecorded || isWebSocket) return;
  if (!raw.headersSent) reply.code(CLIENT_LEFT);
  runInContext(request.context, () => record(request, reply));
}

/** Only pages of the listed origins may call the API. Credentials are tokens, never cookies. */
async function allowOrigins(server: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await server.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    credentials: false,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    methods: METHODS,
  });
}
