import cors from '@fastify/cors';
import type { Config } from '@airlock/config';
import type { Lifecycle } from '@airlock/health';
import type { FastifyInstance } from 'fastify';
import { type RequestContext, runInContext } from '../context/request-context.js';
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

/** The hooks that every request passes, in this order, before it reaches a resource. */
export async function installPipeline(server: FastifyInstance, options: PipelineOptions): Promise<void> {
  const { config, lifecycle, openContext, recordResponse } = options;
  useJsonBodies(server);
  server.decorateRequest('context', null as unknown as RequestContext);

  server.addHook('onRequest', (request, reply, done) => runInContext(openContext(request, reply), done));
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
    recordResponse(request, reply);
    done();
  });

  await allowOrigins(server, config.http.corsOrigins);
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
