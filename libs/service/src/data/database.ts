import { SYSTEM_ROLE } from '@airlock/database/model';
import { AsyncResource } from 'node:async_hooks';
import type pg from 'pg';
import type { DataSource, Logger, QueryRunner } from 'typeorm';
import { currentContext } from '../context/request-context.js';
import { withCallSite } from '../failures/call-site.js';
import { isStalePlan } from '../failures/database-failures.js';
import { observeOperation } from '../telemetry/outgoing-operation.js';
import { type CachedTables, UnexpectedChange } from './cached-tables.js';
import { type Constraints, explainConstraint } from './constraints.js';
import { type BoundStatement, OwnerQuery, type Statement } from './owner-query.js';
import { type ReturnSession, Sessions } from './sessions.js';
import { assertMayActAsSystem, assertReason, JOURNAL } from './system-access.js';
import { assertOutsideTransactions, endAfter, repeatAttempts, runTransaction } from './transaction.js';
import type { TransactionOptions, Work } from './transaction.js';

/** Sets the user for one transaction, and shows the request id in pg_stat_activity and in the log of the server. */
const SET_OWNER: Statement = {
  name: 'set_owner',
  text: `SELECT set_config('app.user_id', $1, true), set_config('application_name', $2, true)`,
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
  /** The name of the service, for the journal. */
  readonly service: string;
  readonly statementTimeoutMs: number;
  /** The limit of a transaction that states none. */
  readonly transactionTimeoutMs: number;
  readonly poolSize: number;
  /** Creates a runner of TypeORM, which uses the session that it is given. */
  readonly openRunner: () => QueryRunner;
  readonly checkSchema: CheckSchema;
  /** The errors for callers whose row violates one of these constraints. */
  readonly constraints: Constraints;
}

/** Whose rows a transaction sees. */
interface Access {
  /** Empty for no user. */
  readonly userId: string;
  /** `none`: the application itself. */
  readonly role: 'none' | typeof SYSTEM_ROLE;
}

/** The rows of the product. Uses the pool of the data source directly, because a read through the mapper costs twice as much. */
export class Database {
  readonly #sessions: Sessions;
  /** Logs statements if DB_ECHO is set, both those of the mapper and those of this class. */
  readonly #sqlLogger: Logger;
  readonly #options: DatabaseOptions;
  #cached: CachedTables | undefined;

  constructor(dataSource: DataSource, options: DatabaseOptions) {
    this.#sessions = new Sessions(dataSource);
    this.#sqlLogger = dataSource.logger;
    this.#options = options;
  }

  /** Before the first transaction, by the cache, which itself needs the database. */
  watch(cached: CachedTables): void {
    this.#cached = cached;
  }

  /**
   * Runs one statement as one user, in its own transaction and in one round trip. A statement that changes cached rows is
   * wrapped in `cache.change`.
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
    const owner = { ...SET_OWNER, values: [userId, nameSession()] };
    const [text, parameters] = [statement.text, statement.values as unknown[]];
    const maxAttempts = this.#options.poolSize + 1;
    this.#sqlLogger.logQuery(text, parameters);
    return new Promise((resolve, refuse) => {
      const reject = (error: Error) => {
        this.#sqlLogger.logQueryError(error, text, parameters);
        refuse(this.#explain(error, constraints));
      };
      const loan = { deadlineMs: this.#options.statementTimeoutMs + LATENESS_MS, fail: reject };
      const ask = (attempt: number) =>
        this.#sessions.lend(loan, (session, returnSession) => {
          const query = new OwnerQuery(owner, statement, (failure, rows) => {
            const isStale = failure !== null && isStalePlan(failure);
            returnSession(isStale ? failure : undefined);
            if (!failure) resolve(rows as Row[]);
            else if (isStale && attempt < maxAttempts) ask(attempt + 1);
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
  async asUser<T>(userId: string, work: Work<T>, options: TransactionOptions = {}): Promise<T> {
    assertOutsideTransactions('asUser');
    return this.#transact({ userId, role: 'none' }, work, options);
  }

  /**
   * Runs work in one transaction that sees and changes the rows of all users: for jobs, and for routes that require a
   * role. Each use is written to `ops.system_uses` before it begins, whether it succeeds or not.
   *
   * @param reason why, in 1 to 200 characters; it is kept, so it contains no data of a user
   * @throws Error in a request whose route requires no role
   */
  async asSystem<T>(reason: string, work: Work<T>, options: TransactionOptions = {}): Promise<T> {
    assertOutsideTransactions('asSystem');
    assertReason(reason);
    const context = currentContext();
    assertMayActAsSystem(context);
    const { userId = '', requestId } = context ?? {};
    await this.query({ ...JOURNAL, userId, values: [this.#options.service, reason, userId || null, requestId] });
    return this.#transact({ userId: '', role: SYSTEM_ROLE }, work, options);
  }

  #transact<T>(access: Access, work: Work<T>, options: TransactionOptions): Promise<T> {
    const { openRunner, transactionTimeoutMs } = this.#options;
    const { timeoutMs = transactionTimeoutMs, constraints, isolation } = options;
    const cached = this.#cached?.tables.length ? this.#cached : undefined;
    const operation = { name: 'transaction', attributes: { 'db.system.name': 'postgresql' } };
    const log = (text: string): void => void this.#sqlLogger.logQuery(text);
    const warn = (problem: unknown): void => void this.#sqlLogger.log('warn', `after the commit: ${String(problem)}`);
    const attempt = (deadline: number) =>
      new Promise<T>((resolve, reject) => {
        const fail = (error: unknown) => reject(this.#explain(error, constraints));
        // The pool calls back in the context of the request that returned the session.
        const use = AsyncResource.bind((session: pg.PoolClient, returnSession: ReturnSession) => {
          const settings = { ...describeAccess(access), transaction_timeout: `${leftUntil(deadline)}ms` };
          const around = { session, openRunner, isolation, cached, settings, log, warn, discard: returnSession };
          void runTransaction(around, work)
            .finally(() => returnSession())
            .then(resolve, fail);
        });
        this.#sessions.lend({ deadlineMs: leftUntil(deadline) + LATENESS_MS, fail }, use);
      });
    const deadline = endAfter(timeoutMs);
    const repeat = () => repeatAttempts(attempt, deadline);
    return withCallSite(() =>
      observeOperation(operation, () =>
        repeat().catch((error: unknown) => {
          if (!cached || !(error instanceof UnexpectedChange)) throw error;
          return cached.changeAll(repeat, error.message);
        }),
      ),
    );
  }

  /**
   * Runs a statement that a library made, without a user: it sees no row of the product. It may be several statements.
   */
  execute(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
    return new Promise((resolve, reject) => {
      const loan = { deadlineMs: this.#options.statementTimeoutMs + LATENESS_MS, fail: reject };
      this.#sessions.lend(loan, (session, returnSession) => {
        session
          .query(text, values)
          .then(resolve, reject)
          .finally(() => returnSession());
      });
    });
  }

  /** Resolves if the database responds and has the schema that this code needs. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sessions.lend({ deadlineMs: PING_DEADLINE_MS, fail: reject }, (session, returnSession) => {
        const judge = ({ isServing, reasons }: SchemaReadiness) =>
          isServing ? resolve() : reject(new Error(reasons.join(', ')));
        void this.#options
          .checkSchema(session)
          .then(judge, reject)
          .finally(() => returnSession());
      });
    });
  }

  figures(): { total: number; idle: number; waiting: number } {
    return this.#sessions.figures();
  }

  #explain(error: unknown, constraints?: Constraints): Error {
    const rules = constraints ? { ...this.#options.constraints, ...constraints } : this.#options.constraints;
    return explainConstraint(error, rules) ?? (error as Error);
  }
}

function nameSession(): string {
  return currentContext()?.requestId ?? 'api';
}

function describeAccess({ userId, role }: Access): Record<string, string> {
  return { 'app.user_id': userId, application_name: nameSession(), role };
}

/** In milliseconds, at least one: PostgreSQL takes 0 for no limit. */
function leftUntil(deadline: number): number {
  return Math.max(1, Math.ceil(deadline - performance.now()));
}
