import cluster from 'node:cluster';
import type { Config } from '@airlock/config';
import { assertBudget, Lifecycle } from '@airlock/health';
import { DataSource } from 'typeorm';
import { type App, createApp } from '../app/create-app.js';
import { createJobRunner } from '../app/create-job-runner.js';
import type { ServiceDefinition } from '../app/service-definition.js';
import { describeBuild } from '../app/version.js';
import { openDatabase } from '../data/open-database.js';
import { guardSockets } from '../outbound/guard-sockets.js';
import { useProxyByDefault } from '../outbound/use-proxy.js';
import { FileStore } from '../files/file-store.js';
import { openFiles } from '../files/open-files.js';
import { openLogger } from '../logging/logger.js';
import { openObservers } from '../telemetry/open-observers.js';
import { respondToSupervisor } from './cluster-messages.js';
import { endOnSignals } from './end-on-signals.js';
import { startManagementServer } from './management-server.js';

export interface ServeOptions {
  readonly definition: ServiceDefinition;
  /** The version of the app's package. */
  readonly version: string;
}

/**
 * Starts the app, responds to probes at once and to requests when the database is ready, and shuts down on a signal.
 */
export async function serve(config: Config, options: ServeOptions): Promise<void> {
  assertBudget(config.shutdown, config.http.requestTimeoutMs);
  const version = describeBuild(config, options.version);
  const logger = await openLogger(config, { version: version.version });
  guardSockets(config, logger);
  useProxyByDefault(config.outbound.proxy);
  const lifecycle = new Lifecycle();
  const observer = await openObservers({ config, version, logger });
  const { nest, health, metrics } = await createApp(config, {
    definition: options.definition,
    logger,
    lifecycle,
    version,
    observer,
  });

  const runner = config.jobs.inApi
    ? createJobRunner(nest, config, { definition: options.definition, logger, metrics, observer })
    : undefined;
  const server = nest.getHttpServer();
  endOnSignals(config, { lifecycle, budget: config.shutdown, server, nest, runner, observer, logger });

  await nest.listen({ host: config.service.host, port: config.service.port });
  await openManagement(config, { health, metrics });
  const url = await nest.getUrl();
  const onUnavailable = (reason: string) => logger.warn({ url, reason }, 'database.awaited');
  if (!(await openDatabase(nest.get(DataSource), { config, lifecycle, onUnavailable }))) return;
  await openFiles(nest.get(FileStore), logger);
  runner?.start();
  lifecycle.serve();
  logger.info({ url }, 'listening');
  process.send?.('ready');
}

/** A single process serves the management port itself. A worker responds to its supervisor, which serves the port. */
async function openManagement(
  { service }: Config,
  { health, metrics }: Pick<App, 'health' | 'metrics'>,
): Promise<void> {
  if (cluster.isWorker) return respondToSupervisor(health, metrics.registry);
  await startManagementServer({
    host: service.host,
    port: service.managementPort,
    readMetrics: () => metrics.registry.metrics(),
    readHealth: () => health.detail(),
  });
}
