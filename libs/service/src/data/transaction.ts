import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';
import { readCode } from '../failures/database-failures.js';
import { assertExpected, type CachedTables, type ChangeCounts, countChanges } from './cached-tables.js';
import type { Constraints } from './constraints.js';
import { SessionGate } from './session-gate.js';

export interface TransactionOptions {
  /** Read committed by default, as in PostgreSQL. */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  /** Of all attempts together, in milliseconds; the time limit of a request by default. */
  readonly timeoutMs?: number;
  /** Rules that apply to this transaction instead of those of the service. */
  readonly constraints?: Constraints;
}

/**
 * The queries of one transaction. Repositories and query builders come from `tx`; `tx.transaction` is a savepoint, one
 * after the other. The work runs again after a deadlock or a serialization failure, so it must change nothing but rows.
 */
export type Work<T> = (tx: EntityManager) => Promise<T>;

export interface Transaction {
  readonly session: pg.PoolClient;
  /** Creates a runner of TypeORM, which uses the session that it is given. */
  readonly openRunner: () => QueryRunner;
  readonly isolation: TransactionOptions['isolation'];
  readonly cached: CachedTables | undefined;
  /** Settings of PostgreSQL until the end of the transaction, such as the user. */
  readonly settings: Readonly<Record<string, string>>;
  /** `log` is for statements, `warn` for what fails after the commit. */
  readonly log: (text: string) => void;
  readonly warn: (problem: unknown) => void;
  /** Keeps the session from returning to the pool. */
  readonly discard: (reason: Error) => void;
}

const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 10;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** The server ended the transaction in favour of another one, and it may succeed when it runs again. */
const RETRYABLE = ['40001', '40P01'];
const IN_FAILED_TRANSACTION = '25P02';
/** Contains a value that only this transaction has, so that its end can be told from that of another one. */
const MARK = 'app.transaction';

/** Open while the work runs: code that it leaves behind, such as a timer, is outside of the transaction again. */
const current = new AsyncLocalStorage<{ isOpen: boolean }>();

/**
 * Another session would not see the changes of the transaction, and could wait for its session when the pool is empty.
 *
 * @throws Error if called in the work of a transaction
 */
export function assertOutsideTransactions(what: string, expected = 'the tx of that transaction'): void {
  if (!current.getStore()?.isOpen) return;
  throw new Error(`database: ${what} was called inside of a transaction; expected ${expected}`);
}

/** @throws RangeError unless PostgreSQL takes the time as a limit */
export function endAfter(timeoutMs: number): number {
  if (timeoutMs >= 1 && timeoutMs <= LONGEST_TIMEOUT_MS) return performance.now() + timeoutMs;
  throw new RangeError(`database: timeoutMs is ${timeoutMs}; expected 1 to ${LONGEST_TIMEOUT_MS}`);
}

/**
 * Runs an attempt until it succeeds, fails for good, or has no time left.
 *
 * @param deadline a time of `performance.now()`
 */
export async function repeatAttempts<T>(attempt: (deadline: number) => Promise<T>, deadline: number): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt(deadline);
    } catch (error) {
      const pauseMs = Math.random() * FIRST_PAUSE_MS * 2 ** count;
      const isLast = count === MAX_ATTEMPTS || performance.now() + pauseMs >= deadline;
      if (isLast || !RETRYABLE.includes(readCode(error) ?? '')) throw error;
      await sleep(pauseMs);
    }
  }
}

/**
 * Runs the work in one transaction and commits it.
 *
 * @throws what the work throws; the driver's error for a failed statement, without the values that TypeORM adds to it
 */
export async function runTransaction<T>(transaction: Transaction, work: Work<T>): Promise<T> {
  const { session, openRunner, discard, cached } = transaction;
  const gate = new SessionGate(session);
  const runner = Object.assign(openRunner(), { databaseConnection: gate });
  const mark = randomUUID();
  const state = { isOpen: true };
  // The server may end a session between two statements. The next one fails without saying why.
  let end: Error | undefined;
  const noteEnd = (error: Error) => void (end ??= error);
  session.on('error', noteEnd);
  try {
    const before = await begin(transaction, { runner, mark });
    const result = await current.run(state, () => work(runner.manager));
    await runner.broadcaster.broadcast('BeforeTransactionCommit');
    assertNothingRuns(gate.close());
    if (cached) assertExpected(cached, before, await count(session, cached));
    await commit(transaction, mark);
    await runner.broadcaster.broadcast('AfterTransactionCommit').catch(transaction.warn);
    return result;
  } catch (error) {
    gate.close();
    await rollBack(transaction).catch(discard);
    const failure: unknown = error instanceof QueryFailedError ? error.driverError : error;
    throw end && isOfSession(failure) ? end : failure;
  } finally {
    session.off('error', noteEnd);
    state.isOpen = false;
    await runner.release();
  }
}

/** The driver throws an error without a code for a query on a session that has ended. */
function isOfSession(error: unknown): boolean {
  return error instanceof Error && readCode(error) === undefined && /not queryable|terminated/.test(error.message);
}

async function begin(
  { session, isolation, settings, cached, log }: Transaction,
  { runner, mark }: { runner: QueryRunner; mark: string },
): Promise<ChangeCounts> {
  await runner.broadcaster.broadcast('BeforeTransactionStart');
  const start = isolation ? `START TRANSACTION ISOLATION LEVEL ${isolation}` : 'START TRANSACTION';
  log(start);
  await session.query(start);
  const values = Object.entries({ ...settings, [MARK]: mark }).flat();
  const calls = values.flatMap((_, at) => (at % 2 === 0 ? `set_config($${at + 1}, $${at + 2}, true)` : []));
  const counts = cached ? `, ${countChanges(`$${values.length + 1}::text[]`)} AS counts` : '';
  const parameters = cached ? [...values, cached.tables] : values;
  const { rows } = await session.query<{ counts?: ChangeCounts }>(`SELECT ${calls.join(', ')}${counts}`, parameters);
  // As TypeORM sets it, so that `tx.transaction` is a savepoint.
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
  await runner.broadcaster.broadcast('AfterTransactionStart');
  return rows[0]?.counts ?? [];
}

async function count(session: pg.PoolClient, { tables }: CachedTables): Promise<ChangeCounts> {
  const text = `SELECT ${countChanges('$1::text[]')} AS counts`;
  const { rows } = await session.query<{ counts: ChangeCounts }>(text, [tables]).catch(explainCaught);
  return rows[0]?.counts ?? [];
}

function assertNothingRuns(pending: number): void {
  if (pending === 0) return;
  throw new Error(
    `database: the work of a transaction ended while ${pending} of its queries ran, so nothing was committed; expected an await for each`,
  );
}

/** RESET ALL: a setting that the work made for the session would last for the next user. */
async function commit({ session, log }: Transaction, mark: string): Promise<void> {
  log('COMMIT');
  const results = (await session
    .query(`SELECT current_setting('${MARK}', true) AS mark; COMMIT; RESET ALL`)
    .catch(explainCaught)) as unknown as [{ rows: { mark: string | null }[] }];
  if (results[0].rows[0]?.mark === mark) return;
  throw new Error('database: the work ended its transaction and began another; expected it to return or to throw');
}

/** PostgreSQL would roll back instead of committing, and report success. */
function explainCaught(error: unknown): never {
  if (readCode(error) !== IN_FAILED_TRANSACTION) throw error;
  throw new Error(
    'database: a statement of this transaction failed and its error was caught, so nothing was committed; ' +
      'expected a savepoint around that statement: tx.transaction(…)',
  );
}

/** Also if the transaction seems to have ended: what the session has reported may be older than its last query. */
async function rollBack({ session, log }: Transaction): Promise<void> {
  log('ROLLBACK');
  await session.query('ROLLBACK');
}
