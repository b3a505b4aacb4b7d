import type { Config } from '@airlock/config';
import { registerHealthRoutes, type Lifecycle, type Version } from '@airlock/health';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { createHealth } from './create-health.js';
import { createAdapter } from './http/create-adapter.js';
import { NestLogger } from './http/nest-logger.js';
import { installPipeline } from './http/pipeline.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ValidationPipe } from './http/validation.js';

export interface AppContext {
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly version: Version;
}

/** Nest on Fastify with the whole pipeline, ready to listen or to be injected. The process and the specs use the same. */
export async function createApp(
  config: Config,
  { logger, lifecycle, version }: AppContext,
): Promise<NestFastifyApplication> {
  const adapter = createAdapter(config);
  const server = adapter.getInstance();
  installPipeline(server, { config, lifecycle, logger });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, logger), adapter, {
    abortOnError: false,
    bodyParser: false,
    logger: new NestLogger(logger),
  });
  app.setGlobalPrefix('api/v1');
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter({ logger, isDebug: config.service.debug }));
  registerHealthRoutes(server, createHealth(app, { config, lifecycle, version }));
  return app.init();
}
