import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { Problem } from '../problems/problem.js';

/** Takes a session back. One that is broken is closed. */
export type ReturnSession = (broken?: Error) => void;

export interface Loan {
  /** A session that is not returned by then is closed. */
  readonly deadlineMs: number;
  /** Called if there is no session, and at the deadline. */
  readonly fail: (error: Error) => void;
}

/** Lends the sessions of the pool, which belongs to the data source. */
export class Sessions {
  readonly #driver: { readonly master?: pg.Pool };

  constructor({ driver }: DataSource) {
    this.#driver = driver as unknown as { master?: pg.Pool };
  }

  /**
   * Lends a session until it is returned. A session that is not returned by the deadline is closed: after a failover
   * without any packet the connection is dead, and the kernel would keep it for 15 minutes.
   */
  lend({ deadlineMs, fail }: Loan, use: (session: pg.PoolClient, returnSession: ReturnSession) => void): void {
    this.#pool.connect((error, session, release) => {
      if (!session) return fail(error ?? new Error('the pool returned no connection'));
      let isLent = true;
      const returnSession: ReturnSession = (broken) => {
        if (!isLent) return;
        isLent = false;
        clearTimeout(deadline);
        // The next user would work in the transaction, and lose what it writes.
        const isInTransaction = session.getTransactionStatus() !== 'I';
        release(broken ?? (isInTransaction ? new Error('a transaction was left open') : undefined));
      };
      const deadline = setTimeout(() => {
        returnSession(new Error('no response by the deadline'));
        fail(new Problem('request-timeout', { cause: new Error('the database did not respond by the deadline') }));
      }, deadlineMs);
      use(session, returnSession);
    });
  }

  figures(): { total: number; idle: number; waiting: number } {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.#driver.master ?? {};
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** There is no pool before the data source is open. */
  get #pool(): pg.Pool {
    const { master } = this.#driver;
    if (!master) throw new Error('database: is not open; expected no query before the process serves');
    return master;
  }
}
