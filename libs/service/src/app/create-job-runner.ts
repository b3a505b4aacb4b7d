import type { Config } from '@airlock/config';
import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from 'pino';
import { readArchiveDelay, readBackupAge } from '../data/backup-age.js';
import { Database } from '../data/database.js';
import { JobQueue } from '../jobs/job-queue.js';
import { JobRunner } from '../jobs/job-runner.js';
import { Jobs } from '../jobs/job-sender.js';
import type { ObservedJob, Observer } from '../telemetry/observer.js';
import type { Metrics } from '../telemetry/prometheus-metrics.js';
import type { ServiceDefinition } from './service-definition.js';

export interface JobRunnerContext {
  readonly definition: Pick<ServiceDefinition, 'jobs'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observer?: Observer | undefined;
}

/** Works off the jobs of the service in this process, after `start`. */
export function createJobRunner(
  nest: INestApplicationContext,
  config: Config,
  { definition, logger, metrics, observer }: JobRunnerContext,
): JobRunner {
  const runner = new JobRunner({
    queue: nest.get(JobQueue),
    jobs: nest.get(Jobs),
    database: nest.get(Database),
    get: (type) => nest.get(type, { strict: false }),
    declared: definition.jobs,
    // With one session left, the process can always show signs of life for its jobs.
    concurrency: Math.max(1, Math.min(config.jobs.concurrency, config.database.poolSize - 1)),
    isTraced: config.observability.otlpEndpoint !== undefined,
    logger,
    observer: {
      onJob: (run: ObservedJob) => {
        metrics.observeJob(run);
        observer?.onJob?.(run);
      },
      onError: (error, context) => observer?.onError?.(error, context),
    },
  });
  metrics.watchJobs(() => runner.figures);
  metrics.watchBackups(() => readBackupAge(nest.get(Database)));
  metrics.watchArchive(() => readArchiveDelay(nest.get(Database)));
  return runner;
}
