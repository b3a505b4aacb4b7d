import type { Job } from './job.js';
import type { JobQueue } from './job-queue.js';
import { createSending } from './job-sender.js';
import { findTick } from './schedule.js';

/** A schedule that was due while no process ran is made up for within this time, once. */
const CATCH_UP_MS = 60 * 60 * 1000;
/** Begins before an hour that a change of the clock doubles. */
const LOOK_BACK_MS = CATCH_UP_MS + 2 * 60 * 60 * 1000;

/**
 * Sends the scheduled jobs. Every process does so: the time is the key of the job, so the queue refuses all but the first.
 */
export class JobScheduler {
  readonly #queue: JobQueue;
  readonly #scheduled: readonly Job[];
  /** By name, the last tick that was seen, or the time from which on ticks are looked for. */
  readonly #seen = new Map<string, Date>();

  constructor(queue: JobQueue, jobs: readonly Job[]) {
    this.#queue = queue;
    this.#scheduled = jobs.filter(({ schedule }) => schedule !== undefined);
  }

  /** Sends what is due at this time. */
  async send(now: Date): Promise<void> {
    for (const job of this.#scheduled) {
      if (!job.schedule) continue;
      const after = this.#seen.get(job.name) ?? new Date(now.getTime() - LOOK_BACK_MS);
      const tick = findTick(job.schedule, after, now);
      if (tick && now.getTime() - tick.getTime() < CATCH_UP_MS) {
        const key = `schedule ${tick.toISOString()}`;
        await this.#queue.send(job, createSending(job, job.schedule.data, { key }));
      }
      this.#seen.set(job.name, tick ?? after);
    }
  }
}
