import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';
import { readCode } from '../failures/database-failures.js';
import type { Constraints } from './constraints.js';
import type { BoundStatement } from './owner-query.js';

export interface TransactionOptions {
  /** Read committed by default, as in PostgreSQL. */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  /** Of all attempts together, in milliseconds; the time limit of a request by default. */
  readonly timeoutMs?: number;
  /** Rules that apply to this transaction instead of those of the service. */
  readonly constraints?: Constraints;
}

/**
 * The queries of one transaction. Repositories and query builders come from `tx`; `tx.transaction` is a savepoint.
 * It runs again after a deadlock or a serialization failure, so it must change nothing but rows.
 */
export type Work<T> = (tx: EntityManager) => Promise<T>;

interface TransactionSession {
  readonly session: pg.PoolClient;
  readonly runner: QueryRunner;
  /** Sets the user, the role, the time limit and the name of the session, until the end of the transaction. */
  readonly setAccess: BoundStatement;
  readonly isolation: TransactionOptions['isolation'];
  readonly log: (text: string) => void;
  /** Keeps the session from returning to the pool. */
  readonly discard: (reason: Error) => void;
}

const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 10;
/** The server ended the transaction in favour of another one, and it may succeed when it runs again. */
const RETRYABLE = ['40001', '40P01'];

const inTransaction = new AsyncLocalStorage<true>();

/**
 * Another session would not see the changes of the transaction, and could wait for it for ever when the pool is empty.
 *
 * @throws Error if called in the work of a transaction
 */
export function assertOutsideTransactions(what: string): void {
  if (!inTransaction.getStore()) return;
  throw new Error(`database: ${what} was called inside of a transaction; expected the tx of that transaction`);
}

/** Runs an attempt until it succeeds, fails for good, or has no time left. */
export async function repeatAttempts<T>(attempt: (leftMs: number) => Promise<T>, timeoutMs: number): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let count = 1; ; count += 1) {
    try {
      return await attempt(deadline - performance.now());
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
export async function runTransaction<T>(transaction: TransactionSession, work: Work<T>): Promise<T> {
  const { runner, setAccess, isolation } = transaction;
  try {
    await runner.startTransaction(isolation);
    await runner.query(setAccess.text, setAccess.values as unknown[]);
    const result = await inTransaction.run(true, () => work(runner.manager));
    await commit(transaction);
    return result;
  } catch (error) {
    await rollBack(transaction).catch(transaction.discard);
    throw error instanceof QueryFailedError ? error.driverError : error;
  }
}

/** A query that the work did not await finds the runner released, instead of running without a user. */
async function commit({ session, runner, log }: TransactionSession): Promise<void> {
  await runner.broadcaster.broadcast('BeforeTransactionCommit');
  await runner.release();
  log('COMMIT');
  const { command } = await session.query('COMMIT');
  // After a failed statement PostgreSQL rolls back instead, and a driver reports success.
  if (command === 'ROLLBACK') {
    throw new Error(
      'database: a statement of this transaction failed and its error was caught, so nothing was committed; ' +
        'expected a savepoint around that statement: tx.transaction(…)',
    );
  }
  await runner.broadcaster.broadcast('AfterTransactionCommit');
}

async function rollBack({ session, runner, log }: TransactionSession): Promise<void> {
  await runner.release();
  if (session.getTransactionStatus() === 'I') return;
  log('ROLLBACK');
  await session.query('ROLLBACK');
}
