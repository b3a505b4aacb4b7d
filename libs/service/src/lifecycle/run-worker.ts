import 'reflect-metadata';
import type { Config } from '@airlock/config';
import { assertBudget, Lifecycle } from '@airlock/health';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { createHealth } from '../app/create-health.js';
import { createJobRunner } from '../app/create-job-runner.js';
import type { ProductDefinition } from '../app/service-definition.js';
import { describeBuild, describeVersion } from '../app/version.js';
import { WorkerModule } from '../app/worker.module.js';
import { Database } from '../data/database.js';
import { openDatabase } from '../data/open-database.js';
import { FileStore } from '../files/file-store.js';
import { openFiles } from '../files/open-files.js';
import { openLogger } from '../logging/logger.js';
import { NestLogger } from '../logging/nest-logger.js';
import { guardSockets } from '../outbound/guard-sockets.js';
import { useProxyByDefault } from '../outbound/use-proxy.js';
import { openObservers } from '../telemetry/open-observers.js';
import { Metrics } from '../telemetry/prometheus-metrics.js';
import { endOnSignals } from './end-on-signals.js';
import { startManagementServer } from './management-server.js';

export interface WorkerOptions {
  readonly definition: ProductDefinition;
  /** The version of the app's package. */
  readonly version: string;
}

/** Runs jobs until a signal. It has no port but the management port, which also responds to probes. */
export async function runWorker(config: Config, { definition, version: number }: WorkerOptions): Promise<void> {
  assertBudget(config.shutdown, config.http.requestTimeoutMs);
  const version = describeBuild(config, number);
  const logger = await openLogger(config, { version: version.version });
  guardSockets(config, logger);
  useProxyByDefault(config.outbound.proxy);
  const lifecycle = new Lifecycle();
  const observer = await openObservers({ config, version, logger });
  const metrics = new Metrics({ lifecycle, version });
  const nest = await NestFactory.createApplicationContext(
    WorkerModule.forRoot(config, { definition, logger, metrics }),
    {
      abortOnError: false,
      logger: new NestLogger(logger),
    },
  );
  const database = nest.get(Database);
  metrics.watchPool(() => database.figures());
  observer.watchPool?.(() => database.figures());
  const store = nest.get(FileStore);
  store.useForJobs();
  const health = createHealth(nest, { lifecycle, version: describeVersion(version, config), logger, store });
  const runner = createJobRunner(nest, config, { definition, logger, metrics, observer });

  const { host, managementPort: port } = config.service;
  const server = await startManagementServer({
    ...{ host, port, probes: health },
    readMetrics: () => metrics.registry.metrics(),
    readHealth: () => health.detail(),
  });
  // No proxy sends requests that a drain would wait for: that time is for the jobs that run.
  const budget = { ...config.shutdown, drainMs: 0, requestMs: config.shutdown.drainMs + config.shutdown.requestMs };
  endOnSignals(config, { lifecycle, budget, server, nest, runner, observer, logger });

  const onUnavailable = (reason: string) => logger.warn({ reason }, 'database.awaited');
  if (!(await openDatabase(nest.get(DataSource), { config, lifecycle, onUnavailable }))) return;
  await openFiles(store, logger);
  runner.start();
  lifecycle.serve();
  logger.info({ concurrency: runner.concurrency }, 'working');
}
