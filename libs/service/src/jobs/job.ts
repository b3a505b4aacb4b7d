import type { Type } from '@nestjs/common';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import type { Database } from '../data/database.js';
import { assertFits } from './shape.js';
import { assertSchedule, type JobSchedule } from './schedule.js';

export interface JobOptions {
  /** How often a failed run is repeated. After that the job is a dead letter. Default: 5. */
  readonly retries?: number;
  /** The pause before the first repetition, in seconds; it doubles up to an hour. Default: 5. */
  readonly retryDelaySeconds?: number;
  /** Of one run, or of one step, in seconds. Then the run has failed, and its signal is aborted. Default: 300. */
  readonly timeLimitSeconds?: number;
  /** Jobs of a higher priority start first, whatever their names. Default: 0. */
  readonly priority?: number;
  /** How long a key is refused again after its job has ended, in days. Default: 14. */
  readonly keepDays?: number;
}

export interface SendOptions {
  /** A second job of the same name and key is not sent. */
  readonly key?: string;
  /** Instead of that of the job. */
  readonly priority?: number;
  /** Not before this time. */
  readonly startAfter?: Date;
}

export interface Sender {
  /**
   * Sends a job in a transaction of `asUser` or `asSystem`: it exists if that transaction commits, and otherwise not.
   *
   * @returns the id of the job; undefined if there is one with the same key
   * @throws UnfitJob if the data do not fit the shape of the job
   */
  send<Shape extends DataShape>(
    tx: EntityManager,
    job: Job<Shape>,
    data: z.input<Shape>,
    options?: SendOptions,
  ): Promise<string | undefined>;
}

/** The argument of the work of a job. */
export interface JobRun<Data> {
  readonly data: Data;
  readonly id: string;
  /** 1 for the first run. */
  readonly attempt: number;
  readonly database: Database;
  readonly jobs: Sender;
  /** Each line has the name of the job and the ids of the request that sent it. */
  readonly logger: Logger;
  /** Aborted at the time limit, when another process has taken the job, and when the process must exit. */
  readonly signal: AbortSignal;
  /** Any provider of the service. */
  readonly get: <T>(type: Type<T>) => T;
  /**
   * For a job that a route has accepted: the path of its result, such as `/api/v1/orders/ID`. Set before the job ends,
   * in the last of its steps.
   *
   * @throws Error unless it is a path of this service
   */
  readonly setResult: (path: string) => void;
  /**
   * Ends the job in the transaction of its rows: both are committed or neither, so the rows are written exactly once.
   * Without it the job ends when its work returns, and runs again after a crash just before that.
   *
   * @throws Error if another process has taken the job
   */
  readonly finish: (tx: EntityManager) => Promise<void>;
}

/** The argument of a step of a long job. */
export interface JobStep<Data, Cursor> extends Omit<JobRun<Data>, 'finish'> {
  /** Where this step begins; undefined for the first one. */
  readonly cursor: Cursor | undefined;
  /** Stores the end of the step in the transaction of its rows. The step then returns the same cursor. */
  readonly finish: (tx: EntityManager, next: Cursor | undefined) => Promise<void>;
}

/** Data are stored as JSON. */
export type DataShape = z.ZodType<object>;

interface Definition<Shape extends DataShape> extends JobOptions {
  /** The name of the queue. Another shape of the data takes another name, because a release may be half deployed. */
  readonly name: string;
  /** The shape of the data, checked when they are sent and again when they are worked off. */
  readonly data: Shape;
  readonly schedule?: JobSchedule<z.input<Shape>>;
}

/** A job that runs as a whole. */
export interface WholeJob<Shape extends DataShape> extends Definition<Shape> {
  readonly run: (run: JobRun<z.output<Shape>>) => Promise<void>;
}

/** A long job. The value that a step returns is stored, and given to the next step, perhaps in another process. */
export interface JobOfSteps<Shape extends DataShape, Cursor extends z.ZodType> extends Definition<Shape> {
  readonly cursor: Cursor;
  /** @returns where the next step begins; undefined at the end */
  readonly step: (run: JobStep<z.output<Shape>, z.output<Cursor>>) => Promise<z.input<Cursor> | undefined>;
}

/** A declared job, with its defaults. */
export interface Job<Shape extends DataShape = DataShape> {
  readonly name: string;
  readonly data: Shape;
  readonly options: Required<JobOptions>;
  readonly schedule: JobSchedule<object> | undefined;
  /** The shape of the cursor of a job of steps. */
  readonly cursor: z.ZodType | undefined;
  /** @returns the cursor of the next step */
  readonly work: (run: JobStep<unknown, unknown>) => Promise<unknown>;
}

const DEFAULTS: Required<JobOptions> = {
  retries: 5,
  retryDelaySeconds: 5,
  timeLimitSeconds: 300,
  priority: 0,
  keepDays: 14,
};
/** Also part of metrics and of the names of spans. */
const NAME = /^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/;
const LONGEST_NAME = 100;

/** Declares a job: `job({ name: 'orders.remind', data: z.strictObject({ … }), run: async ({ data }) => … })`. */
export function job<Shape extends DataShape>(definition: WholeJob<Shape>): Job<Shape>;
export function job<Shape extends DataShape, Cursor extends z.ZodType>(
  definition: JobOfSteps<Shape, Cursor>,
): Job<Shape>;
export function job<Shape extends DataShape>(definition: WholeJob<Shape> | JobOfSteps<Shape, z.ZodType>): Job<Shape> {
  const { name, data, schedule } = definition;
  if (!NAME.test(name) || name.length > LONGEST_NAME) {
    throw new Error(`job ${JSON.stringify(name)}: is not a name; expected words such as orders.remind`);
  }
  if (schedule) {
    assertSchedule(name, schedule);
    assertFits(data, schedule.data, `job ${name}`);
  }
  const { retries, retryDelaySeconds, timeLimitSeconds, priority, keepDays } = { ...DEFAULTS, ...definition };
  return {
    name,
    data,
    options: { retries, retryDelaySeconds, timeLimitSeconds, priority, keepDays },
    schedule: schedule as JobSchedule<object> | undefined,
    cursor: 'step' in definition ? definition.cursor : undefined,
    work: ('step' in definition ? definition.step : definition.run) as Job['work'],
  };
}
