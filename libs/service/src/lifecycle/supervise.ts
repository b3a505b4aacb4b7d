import cluster, { type Worker } from 'node:cluster';
import { type Config, traitsOf } from '@airlock/config';
import { assertBudget, onStopSignals } from '@airlock/health';
import { openLogger } from '../logging/logger.js';
import { askHealth, createClusterMetrics } from './cluster-messages.js';
import { startManagementServer } from './management-server.js';

const RESTART_DELAY_MS = 1_000;

/**
 * Runs WORKERS processes behind one port. A worker that dies while serving is replaced. If a worker cannot start, all
 * stop with its exit code, so that the platform restarts the container and sees the failure.
 *
 * @param version of the app's package; each log line has it
 */
export async function supervise(config: Config, version: string): Promise<void> {
  assertBudget(config.shutdown, config.http.requestTimeoutMs);
  const logger = await openLogger(config, { version });
  const ready = new Set<number>();
  let isStopping = false;
  let exitCode = 0;

  const stop = (reason: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ reason, workers: listWorkers().length }, 'supervisor.stopping');
    for (const worker of listWorkers()) worker.process.kill('SIGTERM');
    setTimeout(() => killAll(), config.shutdown.graceMs).unref();
  };

  cluster.on('message', (worker, message) => {
    if (message !== 'ready') return;
    ready.add(worker.id);
    if (ready.size === config.service.workers) process.send?.('ready');
  });
  cluster.on('exit', (worker, code, signal) => {
    // A worker that we stopped during start-up has not failed.
    const status = isStopping && signal === 'SIGTERM' ? 0 : (code ?? 1);
    logger.info({ worker: worker.id, exit_code: code, signal }, isStopping ? 'worker.stopped' : 'worker.died');
    if (isStopping || !ready.has(worker.id)) exitCode ||= status;
    if (!isStopping && ready.delete(worker.id)) setTimeout(() => isStopping || cluster.fork(), RESTART_DELAY_MS);
    else stop('a worker could not start');
    if (isStopping && listWorkers().length === 0) process.exit(exitCode);
  });
  onStopSignals(stop);
  if (traitsOf(config.environment).isServedFromSources) process.once('disconnect', () => stop('parent exited'));

  const metrics = await createClusterMetrics();
  await startManagementServer({
    host: config.service.host,
    port: config.service.managementPort,
    readMetrics: () => metrics.clusterMetrics(),
    readHealth: () => askHealth(listWorkers()),
  });
  for (let count = 0; count < config.service.workers; count += 1) cluster.fork();
}

function listWorkers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
}

function killAll(): void {
  for (const worker of listWorkers()) worker.process.kill('SIGKILL');
}
