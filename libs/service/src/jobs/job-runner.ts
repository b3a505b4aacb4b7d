import { setTimeout as sleep } from 'node:timers/promises';
import { runOutsideRequests } from '../context/request-context.js';
import type { QueueFigures } from '../telemetry/observer.js';
import type { Job } from './job.js';
import { type JobQueue, WATCH_SECONDS } from './job-queue.js';
import { JobScheduler } from './job-scheduler.js';
import { repeat } from './repeat.js';
import { JobEnded, type JobServices, runJob, type Running } from './run-job.js';

export interface RunnerOptions extends JobServices {
  readonly queue: JobQueue;
  /** The jobs of this release. */
  readonly declared: readonly Job[];
  /** How many jobs run at once. */
  readonly concurrency: number;
}

const POLL_MS = 500;
const TICK_MS = 500;
/** Several of these fit into the silence after which another process takes a job. */
const TOUCH_MS = 3_000;
const WATCH_MS = WATCH_SECONDS * 1_000;
const BEAT_MS = 60_000;
/** In a restored backup it tells which moment came back. */
const BEAT = 'UPDATE ops.heartbeat SET at = pg_catalog.clock_timestamp()';

/** Works off the jobs that this release knows. A job of another release stays in its queue. */
export class JobRunner {
  readonly #options: RunnerOptions;
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #running = new Map<Running, Promise<void>>();
  #loops:
    Readonly<Record<'taking' | 'scheduling' | 'touching' | 'watching' | 'beating', () => Promise<void>>> | undefined;
  #isDeclared = false;
  #isStopping = false;
  #wake: () => void = () => {};
  /** Of all queues, as counted last. */
  figures: readonly QueueFigures[] = [];

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#jobs = new Map(options.declared.map((job) => [job.name, job]));
  }

  get concurrency(): number {
    return this.#options.concurrency;
  }

  /** Begins to take jobs, to schedule them, and to look for those of dead processes. */
  start(): void {
    const { queue, declared, database } = this.#options;
    const scheduler = new JobScheduler(queue, declared);
    this.#loops = {
      taking: this.#repeat('take', 0, () => this.#takeNext()),
      scheduling: this.#repeat('schedule', TICK_MS, () => scheduler.send(new Date())),
      touching: this.#repeat('touch', TOUCH_MS, () => this.#touch()),
      watching: this.#repeat('watch', WATCH_MS, async () => (this.figures = await queue.watch())),
      beating: this.#repeat('beat', BEAT_MS, () => database.execute(BEAT)),
    };
  }

  /** Takes no further job. Long jobs end after their step. */
  drain(): void {
    this.#isStopping = true;
    this.#wake();
  }

  /** Waits for the jobs that run. Those that have not ended by then are given back, for another process. */
  async stop(waitMs: number): Promise<void> {
    this.drain();
    const { taking, scheduling, touching, watching, beating } = this.#loops ?? {};
    await Promise.all([taking?.(), scheduling?.(), watching?.(), beating?.()]);
    await this.#settle(waitMs);
    for (const { control } of this.#running.keys()) control.abort(new JobEnded('released'));
    await Promise.all(this.#running.values());
    await touching?.();
  }

  /** For tests: runs the jobs that are ready, and those that they send, until there is none. */
  async runReady(): Promise<void> {
    while ((await this.#take()) > 0) await Promise.all(this.#running.values());
  }

  async #takeNext(): Promise<void> {
    if (this.#isStopping) return;
    await this.#declare();
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    const count = await this.#take();
    const hasRoom = this.#running.size < this.#options.concurrency;
    if ((count > 0 && hasRoom) || this.#isStopping) return;
    // A job that ends makes room for the next. With room and nothing to do, only time brings a job.
    await Promise.race(hasRoom ? [woken, sleep(POLL_MS, undefined, { ref: false })] : [woken]);
  }

  /** Once, as soon as the schema of the database is one that this release knows. */
  async #declare(): Promise<void> {
    if (this.#isDeclared) return;
    const { database, declared, queue } = this.#options;
    await database.ping();
    for (const job of declared) await queue.declare(job);
    this.#isDeclared = true;
  }

  async #take(): Promise<number> {
    if (this.#isStopping) return 0;
    const { queue, concurrency } = this.#options;
    const claims = await queue.take([...this.#jobs.keys()], concurrency - this.#running.size);
    for (const claim of claims) {
      const job = this.#jobs.get(claim.name);
      if (!job) continue;
      const running = {
        ...{ claim, control: new AbortController() },
        ...{ isFinished: false, retryLimit: claim.retryLimit },
      };
      const options = { ...this.#options, isStopping: () => this.#isStopping };
      const end = runJob(job, running, options).finally(() => {
        this.#running.delete(running);
        this.#wake();
      });
      this.#running.set(running, end);
    }
    return claims.length;
  }

  async #touch(): Promise<void> {
    const running = [...this.#running.keys()].filter(({ isFinished }) => !isFinished);
    if (running.length === 0) return;
    const held = await this.#options.queue.touch(running.map(({ claim }) => claim));
    for (const { claim, control, isFinished } of running) {
      if (!held.has(claim.id) && !isFinished) control.abort(new JobEnded('taken'));
    }
  }

  async #settle(waitMs: number): Promise<void> {
    await Promise.race([Promise.all(this.#running.values()), sleep(waitMs, undefined, { ref: false })]);
  }

  /** Logs one line when the work begins to fail and one when it succeeds again. */
  #repeat(work: string, everyMs: number, run: () => Promise<unknown>): () => Promise<void> {
    const { logger } = this.#options;
    const onFailure = (error: unknown) => logger.warn({ work, error }, 'jobs.unavailable');
    const onRecovery = () => logger.info({ work }, 'jobs.recovered');
    return runOutsideRequests(() => repeat(run, { everyMs, onFailure, onRecovery }));
  }
}
