import cluster, { type Worker } from 'node:cluster';
import { type Config, traitsOf } from '@airlock/config';
import { assertBudget, onLeaveSignals } from '@airlock/health';
import { openLogger } from '../logging/logger.js';
import { askHealth, createClusterMetrics } from './cluster-messages.js';
import { startManagementServer } from './management-server.js';

const RESTART_DELAY_MS = 1_000;

/**
 * WORKERS processes behind one port. One that dies while serving is replaced; one that cannot even start ends them all,
 * with its exit code: the platform restarts the container, and nobody hides a failure in a loop.
 *
 * @param version of the app's package; each log line has it
 */
export async function supervise(config: Config, version: string): Promise<void> {
  assertBudget(config.shutdown, config.http.requestTimeoutMs);
  const logger = await openLogger(config, { version });
  const ready = new Set<number>();
  let isLeaving = false;
  let exitCode = 0;

  const leave = (reason: string) => {
    if (isLeaving) return;
    isLeaving = true;
    logger.info({ reason, workers: listWorkers().length }, 'supervisor.leaving');
    for (const worker of listWorkers()) worker.process.kill('SIGTERM');
    setTimeout(() => killAll(), config.shutdown.graceMs).unref();
  };

  cluster.on('message', (worker, message) => {
    if (message !== 'ready') return;
    ready.add(worker.id);
    if (ready.size === config.service.workers) process.send?.('ready');
  });
  cluster.on('exit', (worker, code, signal) => {
    // One that was told to leave before it had begun has not failed.
    const status = isLeaving && signal === 'SIGTERM' ? 0 : (code ?? 1);
    logger.info({ worker: worker.id, exit_code: code, signal }, isLeaving ? 'worker.left' : 'worker.lost');
    if (isLeaving || !ready.has(worker.id)) exitCode ||= status;
    if (!isLeaving && ready.delete(worker.id)) setTimeout(() => isLeaving || cluster.fork(), RESTART_DELAY_MS);
    else leave('a worker could not start');
    if (isLeaving && listWorkers().length === 0) process.exit(exitCode);
  });
  onLeaveSignals(leave);
  if (traitsOf(config.environment).isServedFromSources) process.once('disconnect', () => leave('parent gone'));

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
