import type pg from 'pg';
import { openRunner } from '@airlock/database';
import type { DataSource, Logger } from 'typeorm';
import { currentContext } from '../context/request-context.js';
import { withCallSite } from '../failures/call-site.js';
import { isStalePlan } from '../failures/database-failures.js';
import { Problem } from '../problems/problem.js';
import { observeOperation } from '../telemetry/outgoing-operation.js';
import { type Constraints, explainConstraint } from './constraints.js';
import { type BoundStatement, OwnerQuery, type Statement } from './owner-query.js';
import {
  assertOutsideTransactions,
  repeatAttempts,
  runTransaction,
  type TransactionOptions,
  type Work,
} from './transaction.js';

/** Sets the user for one transaction, and shows the request id in pg_stat_activity and in the log of the server. */
const SET_OWNER: Statement = {
  name: 'set_owner',
  text: `SELECT set_config('app.user_id', $1, true), set_config('application_name', $2, true)`,
};
/** The same, with a limit after which the server ends the transaction and its session. */
const SET_OWNER_AND_LIMIT: Statement = {
  name: 'set_owner_and_limit',
  text: `${SET_OWNER.text}, set_config('transaction_timeout', $3, true)`,
};
/** A session that does not answer a probe for this long is broken. It is closed instead of returned to the pool. */
const PING_DEADLINE_MS = 5_000;
/**
 * The server cancels at the statement timeout. If its error has not arrived this much later, the connection is dead.
 */
const LATENESS_MS = 1_000;

/** A statement that runs as a user. Without a user, row-level security shows no row. */
export interface OwnedStatement extends BoundStatement {
  readonly userId: string;
  /** Rules that apply to this statement instead of those of the service. */
  readonly constraints?: Constraints;
}

/** Whether this code can serve with the schema of the database, and the reasons if it cannot. */
export interface SchemaReadiness {
  readonly isServing: boolean;
  readonly reasons: readonly string[];
}

export type CheckSchema = (session: pg.ClientBase) => Promise<SchemaReadiness>;

export interface DatabaseOptions {
  readonly statementTimeoutMs: number;
  /** The limit of a transaction that states none. */
  readonly transactionTimeoutMs: number;
  readonly poolSize: number;
  readonly checkSchema: CheckSchema;
  /** The errors for callers whose row violates one of these constraints. */
  readonly constraints: Constraints;
}

type ReturnSession = (broken?: Error) => void;

/** Uses the pool of the data source directly, because a read through the mapper costs twice as much. */
export class Database {
  readonly #dataSource: DataSource;
  readonly #driver: { readonly master?: pg.Pool };
  /** Logs statements if DB_ECHO is set, both those of the mapper and those of this class. */
  readonly #sqlLogger: Logger;
  readonly #deadlineMs: number;
  readonly #maxAttempts: number;
  readonly #transactionTimeoutMs: number;
  readonly #checkSchema: CheckSchema;
  readonly #constraints: Constraints;

  constructor(dataSource: DataSource, options: DatabaseOptions) {
    const { statementTimeoutMs, transactionTimeoutMs, poolSize, checkSchema, constraints } = options;
    this.#dataSource = dataSource;
    this.#driver = dataSource.driver as unknown as { master?: pg.Pool };
    this.#sqlLogger = dataSource.logger;
    this.#deadlineMs = statementTimeoutMs + LATENESS_MS;
    this.#transactionTimeoutMs = transactionTimeoutMs;
    this.#maxAttempts = poolSize + 1;
    this.#checkSchema = checkSchema;
    this.#constraints = constraints;
  }

  /**
   * Runs one statement as one user, in its own transaction and in one round trip.
   *
   * @throws Error inside of a transaction of {@link asUser}, whose changes it would not see
   */
  query<Row>(statement: OwnedStatement): Promise<Row[]> {
    assertOutsideTransactions('query');
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
        refuse(this.#explain(error, constraints));
      };
      const ask = (attempt: number) =>
        this.#lend({ deadlineMs: this.#deadlineMs, fail: reject }, (session, returnSession) => {
          const query = new OwnerQuery(owner, statement, (failure, rows) => {
            const isStale = failure !== null && isStalePlan(failure);
            returnSession(isStale ? failure : undefined);
            if (!failure) resolve(rows as Row[]);
            else if (isStale && attempt < this.#maxAttempts) ask(attempt + 1);
            else reject(failure);
          });
          session.query(query as unknown as pg.Submittable);
        });
      ask(1);
    });
  }

  /**
   * Runs work in one transaction as one user, and commits it. Repositories and query builders of TypeORM come from `tx`:
   * `database.asUser(userId, (tx) => tx.getRepository(OrderRecord).save(order))`.
   *
   * @throws what the work throws, after a rollback
   * @throws Problem for a constraint that has a rule, and when the time limit has passed
   */
  asUser<T>(userId: string, work: Work<T>, options: TransactionOptions = {}): Promise<T> {
    assertOutsideTransactions('asUser');
    const { timeoutMs = this.#transactionTimeoutMs, ...rest } = options;
    const operation = { name: 'transaction', attributes: { 'db.system.name': 'postgresql' } };
    const attempt = (leftMs: number) => this.#attempt({ userId, leftMs, ...rest }, work);
    return withCallSite(() => observeOperation(operation, () => repeatAttempts(attempt, timeoutMs)));
  }

  #attempt<T>(
    {
      userId,
      leftMs,
      isolation,
      constraints,
    }: Omit<TransactionOptions, 'timeoutMs'> & { userId: string; leftMs: number },
    work: Work<T>,
  ): Promise<T> {
    const limit = `${Math.ceil(leftMs)}ms`;
    const setOwner = { ...SET_OWNER_AND_LIMIT, values: [userId, currentContext()?.requestId ?? 'api', limit] };
    return new Promise((resolve, reject) => {
      this.#lend({ deadlineMs: leftMs + LATENESS_MS, fail: reject }, (session, returnSession) => {
        // The runner of TypeORM, on a session that this class lends and takes back.
        const runner = Object.assign(openRunner(this.#dataSource), { databaseConnection: session });
        const log = (text: string) => this.#sqlLogger.logQuery(text);
        void runTransaction({ session, runner, setOwner, isolation, log, discard: returnSession }, work)
          .finally(() => returnSession())
          .then(resolve, (error: unknown) => reject(this.#explain(error, constraints)));
      });
    });
  }

  /** Resolves if the database responds and has the schema that this code needs. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lend({ deadlineMs: PING_DEADLINE_MS, fail: reject }, (session, returnSession) => {
        const judge = ({ isServing, reasons }: SchemaReadiness) =>
          isServing ? resolve() : reject(new Error(reasons.join(', ')));
        void this.#checkSchema(session)
          .then(judge, reject)
          .finally(() => returnSession());
      });
    });
  }

  #explain(error: unknown, constraints?: Constraints): Error {
    const rules = constraints ? { ...this.#constraints, ...constraints } : this.#constraints;
    return explainConstraint(error, rules) ?? (error as Error);
  }

  figures(): { total: number; idle: number; waiting: number } {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.#driver.master ?? {};
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /**
   * Lends a session until it is returned. A session that is not returned by the deadline is closed: after a failover
   * without any packet the connection is dead, and the kernel would keep it for 15 minutes.
   */
  #lend(
    { deadlineMs, fail }: { deadlineMs: number; fail: (error: Error) => void },
    use: (session: pg.PoolClient, returnSession: ReturnSession) => void,
  ): void {
    this.#pool.connect((error, session, release) => {
      if (!session) return fail(error ?? new Error('the pool returned no connection'));
      let isLent = true;
      const returnSession: ReturnSession = (broken) => {
        if (!isLent) return;
        isLent = false;
        clearTimeout(deadline);
        release(broken);
      };
      const deadline = setTimeout(() => {
        returnSession(new Error('no response by the deadline'));
        fail(new Problem('request-timeout', { cause: new Error('the database did not respond by the deadline') }));
      }, deadlineMs);
      use(session, returnSession);
    });
  }

  /** There is no pool before the data source is open. */
  get #pool(): pg.Pool {
    const { master } = this.#driver;
    if (!master) throw new Error('database: is not open; expected no query before the process serves');
    return master;
  }
}
