import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import { createJobId, wrapData } from './envelope.js';
import type { DataShape, Job, Sender, SendOptions } from './job.js';
import type { JobQueue, Sending } from './job-queue.js';

/** Sends the jobs that the service declares; injected by Nest. */
export class Jobs implements Sender {
  readonly #queue: JobQueue;
  readonly #declared: readonly Job[];

  constructor(queue: JobQueue, declared: readonly Job[]) {
    this.#queue = queue;
    this.#declared = declared;
    const twice = declared.find(({ name }, at) => declared.findIndex((other) => other.name === name) !== at);
    if (twice) throw new Error(`job ${twice.name}: is declared twice; expected one job of each name`);
  }

  async send<Shape extends DataShape>(
    tx: EntityManager,
    job: Job<Shape>,
    data: z.input<Shape>,
    options: SendOptions = {},
  ): Promise<string | undefined> {
    if (!this.#declared.includes(job)) {
      throw new Error(`job ${job.name}: no process would run it; expected it in the list of libs/jobs/src/index.ts`);
    }
    return this.#queue.send(job, createSending(job, data, options), tx);
  }
}

/** @throws UnfitJob */
export function createSending(job: Job, data: unknown, { key, priority, startAfter }: SendOptions): Sending {
  return {
    id: key === undefined ? null : createJobId(job.name, key),
    key,
    priority: priority ?? job.options.priority,
    startAfter,
    envelope: wrapData(job, data),
  };
}
