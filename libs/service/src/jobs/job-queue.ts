import { AsyncLocalStorage } from 'node:async_hooks';
import { type CommandResponse, type JobWithMetadata, PgBoss } from 'pg-boss';
import type { EntityManager } from 'typeorm';
import type { Database } from '../data/database.js';
import type { QueueFigures } from '../telemetry/observer.js';
import type { Job } from './job.js';
import type { Envelope } from './shape.js';

/** Holds the jobs whose repetitions are used up. */
export const DEAD_LETTERS = 'dead-letters';
/** A job whose process sends no sign of life for this long is given to another one: the shortest that pg-boss allows. */
const SILENCE_SECONDS = 10;
/** How often jobs of dead processes are looked for, and queues are counted; at most by one process at a time. */
export const WATCH_SECONDS = 3;
const LONGEST_RETRY_DELAY_SECONDS = 3_600;
/** A job that no process knows, such as that of a later release, is never removed. */
const FOREVER_SECONDS = 50 * 365 * 86_400;
/** The process itself notices the time limit first. */
const LATENESS_SECONDS = 30;
const DAY_SECONDS = 86_400;

export interface Sending {
  readonly id: string | null;
  readonly key: string | undefined;
  readonly priority: number;
  readonly startAfter: Date | undefined;
  readonly envelope: Envelope;
}

/** A job that this process holds. Each time a job is taken its `retryCount` grows, so a claim is never mixed up. */
export type Claim = Pick<JobWithMetadata<unknown>, 'id' | 'name' | 'retryCount' | 'retryLimit' | 'data'>;

/** Not in the types of pg-boss: the ids that a statement has changed. */
interface Settled extends CommandResponse {
  readonly settled: readonly string[];
}

type Execute = (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }>;

const OF_DEAD_LETTERS = JSON.stringify({ policy: 'standard', retentionSeconds: FOREVER_SECONDS });
/** Queues are rows. Nothing is written where they exist. */
const CREATE = `SELECT jobs.create_queue('${DEAD_LETTERS}', '${OF_DEAD_LETTERS}'), jobs.create_queue($1, $2)`;
const HELD = `name = $1 AND id = $2 AND retry_count = $3 AND state = 'active'`;
const SAVE_STEP = `
  WITH saved AS (
    UPDATE jobs.job SET data = $4, started_on = clock_timestamp(), heartbeat_on = clock_timestamp(),
           retry_limit = retry_count + $5
     WHERE ${HELD} RETURNING id)
  SELECT id FROM saved`;
/** The next claim does not repeat a failure, so the limit moves with it. */
const RELEASE = `UPDATE jobs.job SET state = 'retry', start_after = now(), retry_limit = retry_limit + 1 WHERE ${HELD}`;
const END_RETRIES = `UPDATE jobs.job SET retry_limit = retry_count WHERE ${HELD}`;
/** The first crash is the process's fault, not the job's: no pause. A job that ends its processes gets the pauses. */
const REPEAT_AT_ONCE = `
  UPDATE jobs.job SET start_after = now()
   WHERE name = ANY ($1::text[]) AND state = 'retry' AND start_after > now() AND retry_count = 0
     AND output -> 'value' ->> 'message' = 'job heartbeat timeout'`;
/** For each queue its first job, by an index that has the same order. */
const FIND_READY = `
  SELECT queue.name, first.priority
    FROM unnest($1::text[]) AS queue (name)
   CROSS JOIN LATERAL (
     SELECT priority, created_on FROM jobs.job_common
      WHERE name = queue.name AND state < 'active' AND NOT blocked AND start_after <= now()
      ORDER BY priority DESC, created_on LIMIT 1) first
   ORDER BY first.priority DESC, first.created_on`;

/** The queues in the database of the service: pg-boss, which never connects or changes the schema by itself. */
export class JobQueue {
  readonly #boss: PgBoss;
  readonly #execute: Execute;
  /** The transaction in which pg-boss runs its statements, if there is one. */
  readonly #transaction = new AsyncLocalStorage<Execute>();

  constructor(database: Pick<Database, 'execute'>, onProblem: (problem: unknown) => void) {
    this.#execute = (text, values) => (this.#transaction.getStore() ?? database.execute.bind(database))(text, values);
    this.#boss = new PgBoss({
      db: { executeSql: (text, values) => this.#execute(text, values) },
      schema: 'jobs',
      migrate: false,
      createSchema: false,
      reindex: false,
      monitorVacuum: false,
      registerInstance: false,
      persistWarnings: false,
      superviseIntervalSeconds: WATCH_SECONDS,
      monitorIntervalSeconds: WATCH_SECONDS,
      openTelemetry: { enabled: false },
    });
    this.#boss.on('error', onProblem).on('warning', onProblem);
  }

  /** @returns undefined if there is a job with the same id */
  async send(job: Job, sending: Sending, tx?: EntityManager): Promise<string | undefined> {
    const { id, key, envelope, priority, startAfter } = sending;
    const options = {
      priority,
      ...(id !== null && { id }),
      ...(key !== undefined && { singletonKey: key }),
      ...(startAfter && { startAfter }),
    };
    const run = async () => {
      await this.#create(job);
      return (await this.#boss.send(job.name, envelope, options)) ?? undefined;
    };
    return tx ? this.#transaction.run(executeIn(tx), run) : run();
  }

  /** Gives the queue of the job the options of this release. */
  async declare(job: Job): Promise<void> {
    await this.#create(job);
    await this.#boss.updateQueue(job.name, createOptions(job));
  }

  #create(job: Job): Promise<unknown> {
    return this.#execute(CREATE, [job.name, { policy: 'standard', ...createOptions(job) }]);
  }

  /** Takes up to so many of the jobs that come first by priority and then by age. */
  async take(names: readonly string[], count: number): Promise<Claim[]> {
    const { rows } = await this.#execute(FIND_READY, [names]);
    const claims: Claim[] = [];
    for (const { name, priority } of rows as { name: string; priority: number }[]) {
      if (claims.length >= count) break;
      const options = { batchSize: count - claims.length, minPriority: priority, includeMetadata: true } as const;
      claims.push(...(await this.#boss.fetch<unknown>(name, options)));
    }
    return claims;
  }

  /** @returns false if another process has taken the job */
  async complete(claim: Claim, output: { readonly result: string } | null, tx?: EntityManager): Promise<boolean> {
    const { settled } = (await this.#boss.complete(claim.name, claim, output, tx && { db: toDb(tx) })) as Settled;
    return settled.length > 0;
  }

  /** Stores the end of a step. @returns false if another process has taken the job */
  async saveStep(claim: Claim, { envelope, retries }: { envelope: Envelope; retries: number }, tx?: EntityManager) {
    const execute = tx ? executeIn(tx) : this.#execute;
    const { rows } = await execute(SAVE_STEP, [...heldBy(claim), envelope, retries]);
    return rows.length > 0;
  }

  /** @param isFinal whether a repetition could not help */
  async fail(claim: Claim, reason: object, isFinal: boolean): Promise<void> {
    if (isFinal) await this.#execute(END_RETRIES, heldBy(claim));
    await this.#boss.fail(claim.name, claim, reason);
  }

  /** Gives a job back, for any process to continue at once. */
  async release(claim: Claim): Promise<void> {
    await this.#execute(RELEASE, heldBy(claim));
  }

  /** Shows that this process still works on the jobs. @returns the ids of those that another process has not taken */
  async touch(claims: readonly Claim[]): Promise<ReadonlySet<string>> {
    const held = new Set<string>();
    for (const [name, of] of Map.groupBy(claims, (claim) => claim.name)) {
      const { settled } = (await this.#boss.touch(name, of)) as Settled;
      for (const id of settled) held.add(id);
    }
    return held;
  }

  /** Repeats the jobs of dead processes, removes old ones and counts all, unless another process has just done so. */
  async watch(): Promise<readonly QueueFigures[]> {
    await this.#boss.supervise();
    const queues = await this.#boss.getQueues();
    await this.#execute(REPEAT_AT_ONCE, [queues.map(({ name }) => name)]);
    return queues.map(({ name: job, readyCount: ready, activeCount: running, readyOldestSeconds }) => {
      return { job, ready, running, oldestSeconds: readyOldestSeconds ?? 0 };
    });
  }
}

function createOptions({ options }: Job) {
  return {
    retryLimit: options.retries,
    retryDelay: options.retryDelaySeconds,
    retryBackoff: true,
    retryDelayMax: LONGEST_RETRY_DELAY_SECONDS,
    expireInSeconds: Math.ceil(options.timeLimitSeconds) + LATENESS_SECONDS,
    retentionSeconds: FOREVER_SECONDS,
    deleteAfterSeconds: options.keepDays * DAY_SECONDS,
    heartbeatSeconds: SILENCE_SECONDS,
    deadLetter: DEAD_LETTERS,
  };
}

function heldBy({ name, id, retryCount }: Claim): unknown[] {
  return [name, id, retryCount];
}

function executeIn({ queryRunner }: EntityManager): Execute {
  if (!queryRunner?.isTransactionActive) {
    throw new Error('jobs: was called outside of a transaction; expected the tx of database.asUser or asSystem');
  }
  // The structured result: TypeORM's other one has another form for UPDATE.
  return async (text, values) => ({ rows: (await queryRunner.query(text, values, true)).records as unknown[] });
}

function toDb(tx: EntityManager): { executeSql: Execute } {
  return { executeSql: executeIn(tx) };
}
