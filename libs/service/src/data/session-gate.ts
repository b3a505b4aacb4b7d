import type pg from 'pg';
import { QueryRunnerAlreadyReleasedError } from 'typeorm';

/** TypeORM's savepoints are not matched: `ROLLBACK TO SAVEPOINT typeorm_1`. */
const CONTROL = /^\s*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ABORT|ROLLBACK(?!\s+TO\b)|PREPARE\s+TRANSACTION)\b/i;

/**
 * The session as the work of a transaction sees it. TypeORM checks that a runner is in use some ticks before it sends a
 * query, and a subscriber may delay it further: by then the session may belong to another user.
 */
export class SessionGate {
  readonly #session: pg.PoolClient;
  #isOpen = true;
  #pending = 0;

  constructor(session: pg.PoolClient) {
    this.#session = session;
  }

  /** TypeORM calls it as that of pg. */
  async query(text: string, values?: unknown[]): Promise<unknown> {
    if (!this.#isOpen) throw new QueryRunnerAlreadyReleasedError();
    if (CONTROL.test(text)) {
      throw new Error(
        'database: the work of a transaction may not begin or end one; expected it to return, to throw, or a savepoint: tx.transaction(…)',
      );
    }
    this.#pending += 1;
    try {
      return await this.#session.query(text, values);
    } finally {
      this.#pending -= 1;
    }
  }

  /** @returns the number of queries that have not ended yet */
  close(): number {
    this.#isOpen = false;
    return this.#pending;
  }
}
