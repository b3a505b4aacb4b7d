import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import type { Database } from '../data/database.js';
import { Problem } from '../problems/problem.js';
import { createJobId, wrapData } from './envelope.js';
import type { DataShape, Job, Sender, SendOptions } from './job.js';
import type { JobQueue, Sending } from './job-queue.js';
import { AcceptedJob, findStatus, type JobStatus, readStatus, type StatusRow } from './job-status.js';

/** Sends the jobs that the service declares; injected by Nest. */
export class Jobs implements Sender {
  readonly #queue: JobQueue;
  readonly #database: Database;
  readonly #declared: readonly Job[];

  constructor(queue: JobQueue, database: Database, declared: readonly Job[]) {
    this.#queue = queue;
    this.#database = database;
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
    this.#assertDeclared(job);
    return this.#queue.send(job, createSending(job, data, options), tx);
  }

  /**
   * Sends a job whose state the user of the transaction can read: the response of a route that declares `job`. For a
   * second job with the same key of this user it returns the first one.
   *
   * @throws UnfitJob if the data do not fit the shape of the job
   */
  async accept<Shape extends DataShape>(
    tx: EntityManager,
    job: Job<Shape>,
    data: z.input<Shape>,
    options: SendOptions = {},
  ): Promise<AcceptedJob> {
    this.#assertDeclared(job);
    const ownerId = await readUser(tx, job);
    const sending = createSending(job, data, { ...options, ownerId });
    const sent = await this.#queue.send(job, sending, tx);
    const id = sent ?? sending.id;
    if (id === null) throw new Error(`job ${job.name}: was refused without a key`);
    const { text, values } = findStatus([job], id);
    const [row] = sent === undefined ? await tx.query<StatusRow[]>(text, values) : [];
    return new AcceptedJob(job, row ? readStatus(id, row) : { id, status: 'pending' });
  }

  /** @throws Problem not-found unless the user has such a job */
  async readStatus(userId: string, id: string): Promise<JobStatus> {
    const [row] = await this.#database.query<StatusRow>({ userId, ...findStatus(this.#declared, id) });
    if (!row) throw new Problem('not-found');
    return readStatus(id, row);
  }

  #assertDeclared(job: Job): void {
    if (this.#declared.includes(job)) return;
    throw new Error(`job ${job.name}: no process would run it; expected it in the list of libs/jobs/src/index.ts`);
  }
}

/** @throws UnfitJob */
export function createSending(
  job: Job,
  data: unknown,
  { key, priority, startAfter, ownerId }: SendOptions & { readonly ownerId?: string },
): Sending {
  return {
    id: key === undefined ? null : createJobId(job.name, key, ownerId),
    key,
    priority: priority ?? job.options.priority,
    startAfter,
    envelope: wrapData(job, data, ownerId),
  };
}

/** @throws Error in a transaction that has no user */
async function readUser(tx: EntityManager, job: Job): Promise<string> {
  const [row] = await tx.query<{ user: string | null }[]>(`SELECT current_setting('app.user_id', true) AS "user"`);
  if (row?.user) return row.user;
  throw new Error(`job ${job.name}: was accepted for no user; expected the tx of database.asUser`);
}
