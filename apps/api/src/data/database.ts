import { checkSchema, type SchemaVerdict } from '@airlock/database';
import type { Migration } from '@airlock/database/model';
import type pg from 'pg';
import type { DataSource, Logger } from 'typeorm';
import { Problem } from '../http/problem.js';
import { currentContext } from '../http/request-context.js';
import { observeOperation } from '../observability/operations.js';
import { withCallSite } from './call-site.js';
import { type Constraints, explainConstraint } from './constraints.js';
import { isStalePlan } from './database-away.js';
import { type BoundStatement, OwnerQuery, type Statement } from './owner-query.js';

/** Says for the length of one transaction who asks, and names the request in pg_stat_activity and the server's log. */
const SET_OWNER: Statement = {
  name: 'set_owner',
  text: `SELECT set_config('app.user_id', $1, true), set_config('application_name', $2, true)`,
};
/** A session that gives no answer to a probe for this long is broken: it is closed, not returned. */
const PING_DEADLINE_MS = 5_000;
/** The server gives up at the statement timeout, and its word may take this long; after that nobody is there. */
const LATENESS_MS = 1_000;

/** A user's statement. Row-level security sees the user; without one it shows no row. */
export interface OwnedStatement extends BoundStatement {
  readonly userId: string;
  /** What a caller is told when the statement breaks one of these. */
  readonly constraints?: Constraints;
}

export interface DatabaseOptions {
  readonly statementTimeoutMs: number;
  readonly poolSize: number;
  /** What this code needs of the schema. */
  readonly migrations: readonly Migration[];
}

type GiveBack = (broken?: Error) => void;

/** The pool of the one data source, spoken to directly: the mapper would halve what a read costs. */
export class Database {
  readonly #driver: { readonly master?: pg.Pool };
  /** Prints what DB_ECHO asks for, for statements of the mapper and of this class alike. */
  readonly #sqlLogger: Logger;
  readonly #deadlineMs: number;
  readonly #maxAttempts: number;
  readonly #migrations: readonly Migration[];

  constructor(dataSource: DataSource, { statementTimeoutMs, poolSize, migrations }: DatabaseOptions) {
    this.#driver = dataSource.driver as unknown as { master?: pg.Pool };
    this.#sqlLogger = dataSource.logger;
    this.#deadlineMs = statementTimeoutMs + LATENESS_MS;
    this.#maxAttempts = poolSize + 1;
    this.#migrations = migrations;
  }

  /** Runs one statement as one user, in a transaction of its own and one round trip. */
  query<Row>(statement: OwnedStatement): Promise<Row[]> {
    const { name } = statement;
    const attributes = { 'db.system.name': 'postgresql', 'db.query.summary': name };
    return withCallSite(() => observeOperation({ name, attributes }, () => this.#query<Row>(statement)));
  }

  #query<Row>({ userId, constraints, ...statement }: OwnedStatement): Promise<Row[]> {
    const owner = { ...SET_OWNER, values: [userId, currentContext()?.requestId ?? 'api'] };
    const [text, parameters] = [statement.text, statement.values as unknown[]];
    this.#sqlLogger.logQuery(text, parameters);
    return new Promise((resolve, refuse) => {
      const reject = (error: Error) => {
        this.#sqlLogger.logQueryError(error, text, parameters);
        refuse(explainConstraint(error, constraints) ?? error);
      };
      const ask = (attempt: number) =>
        this.#lend({ deadlineMs: this.#deadlineMs, fail: reject }, (session, giveBack) => {
          const query = new OwnerQuery(owner, statement, (failure, rows) => {
            const isStale = failure !== null && isStalePlan(failure);
            giveBack(isStale ? failure : undefined);
            if (!failure) resolve(rows as Row[]);
            else if (isStale && attempt < this.#maxAttempts) ask(attempt + 1);
            else reject(failure);
          });
          session.query(query as unknown as pg.Submittable);
        });
      ask(1);
    });
  }

  /** Answers when the database does and has the schema that this code needs. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lend({ deadlineMs: PING_DEADLINE_MS, fail: reject }, (session, giveBack) => {
        const judge = ({ isServing, reasons }: SchemaVerdict) =>
          isServing ? resolve() : reject(new Error(reasons.join(', ')));
        void checkSchema(session, this.#migrations)
          .then(judge, reject)
          .finally(() => giveBack());
      });
    });
  }

  figures(): { total: number; idle: number; waiting: number } {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.#driver.master ?? {};
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /**
   * Lends a session until it is given back. One that has not been by the deadline is closed: nobody answers on it, as after
   * a failover that let no packet through, and the system would wait for a quarter of an hour.
   */
  #lend(
    { deadlineMs, fail }: { deadlineMs: number; fail: (error: Error) => void },
    use: (session: pg.PoolClient, giveBack: GiveBack) => void,
  ): void {
    this.#pool.connect((error, session, release) => {
      if (!session) return fail(error ?? new Error('the pool gave no connection'));
      let isLent = true;
      const giveBack: GiveBack = (broken) => {
        if (!isLent) return;
        isLent = false;
        clearTimeout(deadline);
        release(broken);
      };
      const deadline = setTimeout(() => {
        giveBack(new Error('no answer by the deadline'));
        fail(new Problem('request-timeout', { cause: new Error('the database did not even give up in time') }));
      }, deadlineMs);
      use(session, giveBack);
    });
  }

  /** There is none before the data source has been opened. */
  get #pool(): pg.Pool {
    const { master } = this.#driver;
    if (!master) throw new Error('database: is not open; expected no use of it before the process serves');
    return master;
  }
}
