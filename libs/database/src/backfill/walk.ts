import { describeBlockers, describeSession } from '../runner/blocking-sessions.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, DatabaseError } from 'pg';
import type { Provenance } from '../runner/ledger.js';
import { backendPid, type RunnerLock } from '../runner/lock.js';
import type { Backfill } from '../model/backfill.js';
import { MigrationError } from '../model/migration-error.js';
import { type BatchResult, runBatch } from './batch.js';
import type { OnBackfillEvent } from './backfill-events.js';
import { type Limits, nextBatchRows } from './limits.js';
import { waitUntilCalm } from './pauses.js';
import { startProgress } from './backfill-progress.js';
import { assertMayBackfill } from './visible-rows.js';
import { planWalk, type WalkPlan } from './walk-plan.js';

export interface WalkContext {
  /** A session of the owner. */
  readonly client: Client;
  readonly lock: RunnerLock;
  readonly limits: Limits;
  readonly by: Provenance;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: OnBackfillEvent;
}

/** A pass that changes rows again and again shows that rows are still written without the value. */
const MOST_PASSES = 4;

/** The batch was rolled back, and a smaller one may succeed later. */
const RETRIABLE = new Map([
  ['55P03', 'a batch waited too long for a lock'],
  ['40P01', 'a batch was part of a deadlock'],
  ['57014', 'a batch took too long'],
]);

/** Walks from where the last run has ended until a whole pass finds nothing to change. */
export async function walk(backfill: Backfill, context: WalkContext): Promise<void> {
  const { client, lock, by, onEvent } = context;
  await assertMayBackfill(client);
  await pause(backfill, context);
  const plan = await planWalk(client, backfill);
  await startProgress(client, backfill, by);
  if (plan.role !== undefined) await journalUse(client, backfill, by);
  onEvent({ type: 'started', name: backfill.name, table: plan.table, role: plan.role });
  lock.watch(backendPid(client));
  await new Walk(backfill, plan, context).run().catch((cause: unknown) => {
    throw describeFailure(backfill, cause, context);
  });
}

class Walk {
  readonly #backfill: Backfill;
  readonly #plan: WalkPlan;
  readonly #context: WalkContext;
  #batchRows: number;
  #attempts = 0;
  #yields = 0;
  #passes = 1;
  #start = performance.now();
  #walked = 0;
  #reportedAt = -Infinity;

  constructor(backfill: Backfill, plan: WalkPlan, context: WalkContext) {
    this.#backfill = backfill;
    this.#plan = plan;
    this.#context = context;
    this.#batchRows = context.limits.firstBatchRows;
  }

  async run(): Promise<void> {
    const { lock, signal } = this.#context;
    for (;;) {
      signal?.throwIfAborted();
      await lock.assertHeld();
      await pause(this.#backfill, this.#context);
      const result = await this.#attempt();
      if (result === undefined) continue;
      if (result.rows === 0 && this.#isComplete(result)) return;
      if (result.rows > 0) this.#report(result);
      await this.#makeWay(result);
    }
  }

  /** Undefined if the batch was rolled back and is to be tried again. */
  async #attempt(): Promise<BatchResult | undefined> {
    const { client, lock, limits, signal, onEvent } = this.#context;
    const { name } = this.#backfill;
    try {
      const context = { client, limits, plan: this.#plan, batchRows: this.#batchRows };
      const result = await runBatch(this.#backfill, context);
      this.#attempts = 0;
      return result;
    } catch (error) {
      const reason = error instanceof DatabaseError ? RETRIABLE.get(error.code ?? '') : undefined;
      this.#attempts += 1;
      if (signal?.aborted || reason === undefined || this.#attempts >= limits.attempts) throw error;
      this.#batchRows = Math.max(1, Math.floor(this.#batchRows / 2));
      const pauseMs = Math.min(limits.retryCapMs, limits.retryBaseMs * 2 ** (this.#attempts - 1));
      onEvent({ type: 'retrying', name, reason, pauseMs, batchRows: this.#batchRows, blockers: lock.takeBlockers() });
      await sleep(pauseMs, undefined, { signal });
      return undefined;
    }
  }

  #isComplete({ position }: BatchResult): boolean {
    const { name } = this.#backfill;
    if (position.completedAt || position.passChanged === 0) {
      this.#context.onEvent({ type: 'complete', name, changed: position.changed });
      return true;
    }
    if ((this.#passes += 1) > MOST_PASSES)
      throw new MigrationError(
        `rows that need it are still being written, ${position.passChanged} during the last pass; ` +
          'expected only code that writes the value',
      );
    this.#start = performance.now();
    this.#walked = 0;
    return false;
  }

  #report({ position, rows, changed }: BatchResult): void {
    const { limits, onEvent } = this.#context;
    this.#walked += rows;
    const now = performance.now();
    if (now - this.#reportedAt < limits.progressMs) return;
    this.#reportedAt = now;
    const rowsPerSecond = Math.round((1000 * this.#walked) / Math.max(now - this.#start, 1));
    const { expectedRows } = this.#plan;
    const done = position.passRows + rows;
    const left = expectedRows === undefined || expectedRows < done ? undefined : expectedRows - done;
    onEvent({
      type: 'progress',
      name: this.#backfill.name,
      pass: position.pass,
      rows: done,
      changed: position.changed + changed,
      expectedRows,
      rowsPerSecond,
      secondsLeft: left === undefined || rowsPerSecond === 0 ? undefined : Math.ceil(left / rowsPerSecond),
      batchRows: this.#batchRows,
    });
  }

  /** Sessions that waited for this batch go first, and the next batch is smaller. */
  async #makeWay({ rows, durationMs }: BatchResult): Promise<void> {
    const { lock, limits, signal, onEvent } = this.#context;
    const waiters = lock.takeWaiters();
    if (waiters.length === 0) {
      this.#yields = 0;
      if (rows > 0) this.#batchRows = nextBatchRows(this.#batchRows, durationMs, limits);
      return;
    }
    this.#batchRows = Math.max(1, Math.floor(this.#batchRows / 2));
    const pauseMs = Math.min(limits.retryCapMs, limits.yieldMs * 2 ** this.#yields);
    this.#yields += 1;
    const who = waiters.map(describeSession).join(', ');
    onEvent({
      type: 'paused',
      name: this.#backfill.name,
      reason: `for ${pauseMs} ms, its batch was waited for by ${who}`,
    });
    await sleep(pauseMs, undefined, { signal });
  }
}

function pause({ name, table }: Backfill, { client, limits, signal, onEvent }: WalkContext): Promise<void> {
  const onPause = (reason: string) => onEvent({ type: 'paused', name, reason });
  return waitUntilCalm(table, { client, limits, signal, onPause });
}

async function journalUse(client: Client, { name }: Backfill, { actor }: Provenance): Promise<void> {
  await client.query('INSERT INTO ops.system_uses (service, reason) VALUES ($1, $2)', [
    'airlock db backfill',
    `backfill ${name} by ${actor}`.slice(0, 200),
  ]);
}

function describeFailure({ name }: Backfill, cause: unknown, { signal, lock }: WalkContext): unknown {
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof DatabaseError ? ` (${cause.code ?? ''})` : '';
  // Ours says what to do.
  if (!signal?.aborted && cause instanceof MigrationError && message.includes('\n')) return cause;
  return new MigrationError(
    `${name}: ${signal?.aborted ? 'interrupted; ' : ''}${message}${code}${describeBlockers(lock.takeBlockers())}; ` +
      `the batch was rolled back, earlier ones remain\n  airlock db backfill ${name}   # goes on from there`,
    { cause },
  );
}
