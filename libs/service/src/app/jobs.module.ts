import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { Database } from '../data/database.js';
import { JobQueue } from '../jobs/job-queue.js';
import { Jobs } from '../jobs/job-sender.js';
import type { ServiceDefinition } from './service-definition.js';

/** Provides the queues of jobs. Any process may send; `createJobRunner` is for those that work them off. */
@Module({})
export class JobsModule {
  static forRoot({ jobs }: Pick<ServiceDefinition, 'jobs'>, logger: Logger): DynamicModule {
    return {
      module: JobsModule,
      global: true,
      providers: [
        {
          provide: JobQueue,
          inject: [Database],
          useFactory: (database: Database) =>
            new JobQueue(database, (problem) => logger.warn({ error: problem }, 'jobs.problem')),
        },
        {
          provide: Jobs,
          inject: [JobQueue, Database],
          useFactory: (queue: JobQueue, database: Database) => new Jobs(queue, database, jobs),
        },
      ],
      exports: [JobQueue, Jobs],
    };
  }
}
