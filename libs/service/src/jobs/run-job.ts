import type { Type } from '@nestjs/common';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { currentContext, RequestContext, runInContext } from '../context/request-context.js';
import type { Database } from '../data/database.js';
import { readCode } from '../failures/database-failures.js';
import type { JobOutcome, ObservedJob, Observer } from '../telemetry/observer.js';
import { checkCursor, readEnvelope } from './envelope.js';
import type { Job, JobStep, Sender } from './job.js';
import type { Claim, JobQueue } from './job-queue.js';
import { describeProblem } from './job-status.js';
import type { Envelope } from './shape.js';

/** The process gives these to the work of every job. */
export interface JobServices {
  readonly database: Database;
  readonly jobs: Sender;
  readonly logger: Logger;
  readonly get: <T>(type: Type<T>) => T;
  /** Whether the runs of jobs that no request sent belong to a trace. */
  readonly isTraced: boolean;
  readonly observer: Pick<Observer, 'onJob' | 'onError'> | undefined;
}

export interface Running {
  readonly claim: Claim;
  readonly control: AbortController;
  /** Whether the queue no longer counts it as running, or will not after a commit. */
  isFinished: boolean;
  /** A step that has ended renews the repetitions. */
  retryLimit: number;
}

export interface JobRunOptions extends JobServices {
  readonly queue: JobQueue;
  /** Whether the process shuts down: a long job ends after its step then. */
  readonly isStopping: () => boolean;
}

/** Printable, and without a second slash that would begin a host. */
const RESULT_PATH = /^\/(?![/\\])[\x21-\x7e]{0,500}$/;

/** The run has lost its job, or must end. */
export class JobEnded extends Error {
  override readonly name = 'JobEnded';
  readonly outcome: Extract<JobOutcome, 'released' | 'taken'>;

  constructor(outcome: JobEnded['outcome']) {
    super(outcome === 'taken' ? 'job: another process has taken it' : 'job: its process must exit');
    this.outcome = outcome;
  }
}

/** Runs a job that this process holds until it or a step ends, and stores how it ended. Never rejects. */
export async function runJob(job: Job, running: Running, options: JobRunOptions): Promise<void> {
  const { claim } = running;
  const context = createContext(claim, options.isTraced);
  const startedAt = performance.now();
  await runInContext(context, async () => {
    const logger = options.logger;
    let outcome: JobOutcome;
    try {
      outcome = await work(job, running, options);
    } catch (error) {
      outcome = await storeFailure(error, running, options).catch((problem: unknown) => {
        // Another process repeats the job, because this one no longer shows signs of life for it.
        logger.error({ error: problem }, 'job.unsettled');
        return 'failed' as const;
      });
      const fields = { outcome, attempt: claim.retryCount + 1, error };
      if (outcome === 'failed' || outcome === 'dead') {
        logger.error(fields, `job.${outcome}`);
        options.observer?.onError?.(error, { requestId: context.requestId, route: `job ${job.name}` });
      }
    }
    const observed: ObservedJob = {
      name: job.name,
      outcome,
      attempt: claim.retryCount + 1,
      durationMs: performance.now() - startedAt,
      requestId: context.requestId,
      trace: context.trace,
    };
    if (outcome !== 'failed' && outcome !== 'dead') {
      logger.info({ attempt: observed.attempt, duration_ms: Math.round(observed.durationMs) }, `job.${outcome}`);
    }
    options.observer?.onJob?.(observed);
  });
}

/** A job whose envelope is damaged gets a new context, in which it is refused. */
function createContext({ id, name, data }: Claim, isTraced: boolean): RequestContext {
  const { requestId, correlationId, traceparent } = (data ?? {}) as Partial<Record<keyof Envelope, unknown>>;
  const header = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const context = new RequestContext(
    {
      'x-request-id': header(requestId),
      'x-correlation-id': header(correlationId),
      traceparent: header(traceparent),
    },
    { isTraced },
  );
  context.job = { name, id };
  return context;
}

async function work(job: Job, running: Running, options: JobRunOptions): Promise<JobOutcome> {
  const { claim, control } = running;
  const { envelope, data, cursor: first } = readEnvelope(job, claim.data);
  for (let cursor = first; ;) {
    const step = createStep(job, running, { options, envelope, data, cursor });
    const next = await withTimeLimit(() => job.work(step.given), control, job.options.timeLimitSeconds);
    if (next !== undefined) checkCursor(job, next);
    if (!step.isFinished()) await step.finish(undefined, next);
    if (next === undefined) return 'done';
    if (options.isStopping()) {
      await options.queue.release(claim);
      return 'released';
    }
    cursor = next;
  }
}

interface StepState {
  readonly options: JobRunOptions;
  readonly envelope: Envelope;
  readonly data: unknown;
  readonly cursor: unknown;
}

function createStep(job: Job, running: Running, { options, envelope, data, cursor }: StepState) {
  const { claim, control } = running;
  const { queue, database, jobs, logger, get } = options;
  let isFinished = false;
  let result: string | undefined;
  const finish = async (tx: EntityManager | undefined, next?: unknown) => {
    if (next !== undefined) checkCursor(job, next);
    const save = { envelope: { ...envelope, cursor: next }, retries: job.options.retries };
    const output = result === undefined ? null : { result };
    const isHeld = next === undefined ? await queue.complete(claim, output, tx) : await queue.saveStep(claim, save, tx);
    if (!isHeld) throw new JobEnded('taken');
    isFinished = true;
    running.isFinished = next === undefined;
    if (next !== undefined) running.retryLimit = claim.retryCount + job.options.retries;
  };
  const { signal } = control;
  const attempt = claim.retryCount + 1;
  const given: JobStep<unknown, unknown> = {
    ...{ data, cursor, attempt, signal, id: claim.id },
    ...{ database, jobs, logger, get, finish },
    setResult: (path) => void (result = assertPath(job, path)),
  };
  return { given, finish, isFinished: () => isFinished };
}

function assertPath({ name }: Job, path: string): string {
  if (RESULT_PATH.test(path)) return path;
  throw new Error(`job ${name}: its result is not a path; expected a path such as /api/v1/orders/ID`);
}

/** @throws Error at the time limit, or the reason why the job was aborted, whether the work listens to it or not */
async function withTimeLimit<T>(run: () => Promise<T>, control: AbortController, seconds: number): Promise<T> {
  const { signal } = control;
  const timer = setTimeout(() => control.abort(new Error(`job: took longer than ${seconds} seconds`)), seconds * 1000);
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
  });
  try {
    if (signal.aborted) throw signal.reason;
    return await Promise.race([run(), aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** The queue keeps names and codes: a message may quote values of rows, and is in the log. */
async function storeFailure(
  error: unknown,
  { claim, retryLimit }: Running,
  { queue }: JobRunOptions,
): Promise<JobOutcome> {
  if (error instanceof JobEnded) {
    if (error.outcome === 'released') await queue.release(claim);
    return error.outcome;
  }
  const isFinal = (error as { isPermanent?: unknown } | undefined)?.isPermanent === true;
  const type = error instanceof Error ? error.name : 'Error';
  const reason = { type, code: readCode(error), request_id: currentContext()?.requestId, ...describeProblem(error) };
  await queue.fail(claim, reason, isFinal);
  return isFinal || claim.retryCount >= retryLimit ? 'dead' : 'failed';
}
