import { checkSchema } from '@airlock/database';
import { Inject, Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { currentContext } from '../http/request-context.js';
import { type BoundStatement, OwnerQuery, type Statement } from './owner-query.js';

/** Says for the length of one transaction who asks, and names the request in pg_stat_activity and the server's log. */
const SET_OWNER: Statement = {
  name: 'set_owner',
  text: `SELECT set_config('app.user_id', $1, true), set_config('application_name', $2, true)`,
};
/** A connection that gives no answer to a probe for this long is broken: it is closed, not returned. */
const PING_DEADLINE_MS = 5_000;

/** A user's statement. Row-level security sees the user; without one it shows no row. */
export interface OwnedStatement extends BoundStatement {
  readonly userId: string;
}

/** The pool of the one data source, spoken to directly: the mapper would halve what a read costs. */
@Injectable()
export class Database {
  readonly #driver: { readonly master?: pg.Pool };

  constructor(@Inject(DataSource) dataSource: DataSource) {
    this.#driver = dataSource.driver as unknown as { master?: pg.Pool };
  }

  /** Runs one statement as one user, in a transaction of its own and one round trip. */
  query<Row>({ userId, ...statement }: OwnedStatement): Promise<Row[]> {
    const owner = { ...SET_OWNER, values: [userId, currentContext()?.requestId ?? 'api'] };
    return new Promise((resolve, reject) => {
      this.#pool.connect((error, client, release) => {
        if (!client) return reject(error ?? new Error('the pool gave no connection'));
        const query = new OwnerQuery(owner, statement, (failure, rows) => {
          release();
          if (failure) reject(failure);
          else resolve(rows as Row[]);
        });
        client.query(query as unknown as pg.Submittable);
      });
    });
  }

  /** Answers when the database does and has the schema that this code needs. */
  async ping(): Promise<void> {
    const client = await this.#pool.connect();
    let isReturned = false;
    const giveBack = (error?: Error) => {
      if (!isReturned) client.release(error);
      isReturned = true;
    };
    const deadline = setTimeout(() => giveBack(new Error('no answer to a probe')), PING_DEADLINE_MS).unref();
    try {
      const { isServing, reasons } = await checkSchema(client);
      if (!isServing) throw new Error(reasons.join(', '));
    } finally {
      clearTimeout(deadline);
      giveBack();
    }
  }

  figures(): { total: number; idle: number; waiting: number } {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.#driver.master ?? {};
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** There is none before the data source has been opened. */
  get #pool(): pg.Pool {
    const { master } = this.#driver;
    if (!master) throw new Error('database: is not open; expected no use of it before the process serves');
    return master;
  }
}
