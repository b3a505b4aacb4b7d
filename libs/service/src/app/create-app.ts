import 'reflect-metadata';
import type { Config } from '@airlock/config';
import { type Health, type Lifecycle, registerHealthRoutes, type Version } from '@airlock/health';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { installAuthentication } from '../auth/authentication.js';
import { TokenVerifier } from '../auth/token-verifier.js';
import { Database } from '../data/database.js';
import { EventStreams } from '../events/event-streams.js';
import { FileRoutes } from '../files/file-routes.js';
import { FileStore } from '../files/file-store.js';
import { createRecordResponse } from '../http/access-log.js';
import { createAdapter } from '../http/create-adapter.js';
import { installGate } from '../http/gate.js';
import { KnownRoutes } from '../http/known-routes.js';
import { LoadShedder } from '../http/load-shedder.js';
import { createOpenContext } from '../http/open-context.js';
import { OpenStreams } from '../http/open-streams.js';
import { installPipeline } from '../http/pipeline.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { RateLimits } from '../http/rate-limits.js';
import { installBodyRules } from '../http/request-rules.js';
import { ValidationPipe } from '../http/validation.js';
import { NestLogger } from '../logging/nest-logger.js';
import { registerDocs } from '../openapi/docs.js';
import { OPERATIONS_PATH, withOperations } from '../operations/operations.module.js';
import { Signatures } from '../signatures/signatures.js';
import { WebSockets } from '../sockets/web-sockets.js';
import type { Observer } from '../telemetry/observer.js';
import { Metrics } from '../telemetry/prometheus-metrics.js';
import { createHealth } from './create-health.js';
import { RootModule } from './root.module.js';
import type { ServiceDefinition } from './service-definition.js';
import { describeVersion } from './version.js';

export interface AppContext {
  readonly definition: ServiceDefinition;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly version: Version;
  /** Receives requests and errors for an external service, where one is configured. */
  readonly observer?: Observer;
  /** Additional modules, for tests. */
  readonly imports?: readonly DynamicModule[];
  /** How late timers may be before requests are rejected, for tests. */
  readonly maxDelayMs?: number;
}

export interface App {
  readonly nest: NestFastifyApplication;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly routes: KnownRoutes;
}

/**
 * Nest on Fastify with the whole pipeline, ready to listen or to be injected. The process and the specs use the same
 * app. Its database is not open yet: it rejects requests until the database is open and the lifecycle is in the phase
 * `serving`.
 */
export async function createApp(config: Config, context: AppContext): Promise<App> {
  const { definition, logger, lifecycle, version, observer, imports = [], maxDelayMs } = context;
  const { title, prefix, module } = definition;
  const metrics = new Metrics({ lifecycle, version });
  const recordResponse = createRecordResponse({ logger, metrics, observer });
  const openContext = createOpenContext(config);
  const adapter = createAdapter(config, { openContext, recordResponse, logger });
  const server = adapter.getInstance();
  const routes = new KnownRoutes(server);
  await installPipeline(server, { config, lifecycle, openContext, recordResponse });
  const nest = await NestFactory.create<NestFastifyApplication>(
    RootModule.forRoot(config, { definition, logger, metrics, imports }),
    adapter,
    {
      abortOnError: false,
      bodyParser: false,
      logger: new NestLogger(logger),
    },
  );
  const database = nest.get(Database);
  const limits = nest.get(RateLimits);
  const { poolSize } = config.database;
  const shedder = new LoadShedder({ waiting: () => database.figures().waiting, poolSize, maxDelayMs });
  server.addHook('onClose', () => shedder.close());
  const { requestTimeoutMs, corsOrigins: origins, streamsPerUser: limit } = config.http;
  const streams = new OpenStreams(server, { lifecycle, limit });
  const events = new EventStreams(server, { lifecycle, logger, observer, streams, requestTimeoutMs });
  const sockets = new WebSockets(server, { logger, observer, recordResponse, streams, limits, origins });
  server.decorate('operationsPath', `/${prefix}/${OPERATIONS_PATH}`);
  server.decorate('eventStreams', events).decorate('webSockets', sockets);
  metrics.watchStreams({ events: () => events.count, sockets: () => sockets.count });
  installGate(server, { lifecycle, routes, limits, shedder });
  installAuthentication(server, {
    verifier: nest.get<TokenVerifier | undefined>(TokenVerifier),
    limits,
    signatures: new Signatures(server, config),
  });
  const store = nest.get(FileStore);
  if (config.jobs.inApi) store.useForJobs();
  new FileRoutes(server, { store, requestTimeoutMs });
  installBodyRules(server);
  metrics.watchPool(() => database.figures());
  observer?.watchPool?.(() => database.figures());

  nest.setGlobalPrefix(prefix);
  nest.useGlobalPipes(new ValidationPipe());
  nest.useGlobalFilters(new ProblemFilter({ openContext, routes, logger, isDebug: config.service.debug, observer }));
  await nest.init();
  const health = createHealth(nest, { lifecycle, version: describeVersion(version, config), logger, store });
  registerHealthRoutes(server, health);
  if (config.service.withUi)
    registerDocs(server, { title, prefix: `/${prefix}`, version: version.version, module: withOperations(module) });
  return { nest, health, metrics, routes };
}
