import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDatabase } from '@airlock/database-dev/testing';
import { pino } from 'pino';
import { type DataWorld, openDataWorld } from '../data/data-world.fixture.js';
import type { ObservedJob } from '../telemetry/observer.js';
import type { Job } from './job.js';
import { JobQueue } from './job-queue.js';
import { JobRunner, type RunnerOptions } from './job-runner.js';
import { Jobs } from './job-sender.js';

type Line = Record<string, unknown> & { readonly event: string };

type JobsDatabase = Pick<TestDatabase, 'config' | 'query'>;

/** A process that sends and runs jobs: its own sessions, queue, runner and log. */
export class JobsWorld {
  readonly lines: Line[] = [];
  readonly runs: ObservedJob[] = [];
  readonly errors: unknown[] = [];
  readonly data: DataWorld;
  readonly queue: JobQueue;
  readonly jobs: Jobs;
  readonly runner: JobRunner;
  readonly #test: JobsDatabase;

  static async open(test: JobsDatabase, declared: readonly Job[], options: Partial<RunnerOptions> = {}) {
    return new JobsWorld(test, await openDataWorld(test.config), { declared, ...options });
  }

  private constructor(test: JobsDatabase, data: DataWorld, { declared = [], ...options }: Partial<RunnerOptions>) {
    const { database } = data;
    this.#test = test;
    this.data = data;
    const write = (line: string) => void this.lines.push(JSON.parse(line) as Line);
    const logger = pino({ messageKey: 'event' }, { write });
    this.queue = new JobQueue(database, (problem) => void this.errors.push(problem));
    this.jobs = new Jobs(this.queue, database, declared);
    this.runner = new JobRunner({
      ...{ queue: this.queue, jobs: this.jobs, database, logger, declared, concurrency: 2, isTraced: false },
      get: () => {
        throw new Error('no provider in this spec');
      },
      observer: {
        onJob: (run) => void this.runs.push(run),
        onError: (error) => void this.errors.push(error),
      },
      ...options,
    });
  }

  get database() {
    return this.data.database;
  }

  /** Rows of a table of the queues, as an administrator sees them. */
  async rows<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.#test.query<Row>(sql, values);
  }

  /** The states of all jobs of a queue, in the order in which they were sent. */
  async states(name: string): Promise<string[]> {
    const rows = await this.rows<{ state: string }>(
      'SELECT state FROM jobs.job WHERE name = $1 ORDER BY created_on, id',
      [name],
    );
    return rows.map(({ state }) => state);
  }

  async close(): Promise<void> {
    await this.runner.stop(10_000);
    await this.data.close();
  }
}

/** Waits until a condition holds; the time limit of the test ends it otherwise. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}
