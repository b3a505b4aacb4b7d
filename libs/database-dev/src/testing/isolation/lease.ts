import type { PoolClient, QueryResult } from 'pg';
import { assertFollowable, type NamedSetting, nameSettings, refuse } from './followable.js';
import { type FollowedQuery, isQueryObject, readQueryText } from './followed-query.js';
import { type Control, type ParsedStatement, parseText } from './parsed-text.js';
import { assertWithinDatabase } from './server-statements.js';
import { type Query, readQuery } from './read-query.js';
import type { RollbackSession } from './rollback-session.js';
import { EVERY_SETTING } from './session-settings.js';

interface Transaction {
  /** The test that it belongs to. */
  readonly test: number;
  readonly savepoint: string;
  readonly endTurn: () => void;
  /** Values of settings after the transaction: the earlier ones, unless it changed them for the session. */
  readonly settings: Map<string, string>;
}

const NO_ACTIVE_TRANSACTION = '25P01';
const IN_FAILED_TRANSACTION = '25P02';

/** The object that a pool lends: it looks like a separate session of the borrower. */
export function createLease(session: RollbackSession): PoolClient {
  const lease = new Lease(session);
  return new Proxy(session.client, {
    get: (client, key) => {
      if (key === 'query') return lease.query;
      if (key === 'release' || key === 'end') return lease.release;
      const value: unknown = Reflect.get(client, key, client);
      return typeof value === 'function' ? (value.bind(client) as unknown) : value;
    },
  }) as unknown as PoolClient;
}

/** One borrower's view of the session. */
class Lease {
  readonly #session: RollbackSession;
  #transaction: Transaction | undefined;

  constructor(session: RollbackSession) {
    this.#session = session;
  }

  /**
   * Accepts the same arguments as pg: a text and values, a query config or a query object; a promise, or a callback in
   * the last place.
   */
  readonly query = (...args: unknown[]): unknown => {
    const [first] = args;
    if (isQueryObject(first)) {
      first.callback ??= args.find((argument) => typeof argument === 'function');
      this.#runObject(first).catch((error: Error) => first.handleError(error));
      return first;
    }
    const query = readQuery(args, (name) => this.#session.findPrepared(name));
    const result = this.#runText(query);
    if (!query.callback) return result;
    result.then((rows) => query.callback?.(null, rows), query.callback);
    return undefined;
  };

  /** A pool does not roll back, but no later borrower may wait for ever. */
  readonly release = (): void => {
    this.#transaction?.endTurn();
    this.#transaction = undefined;
  };

  async #runText({ text, values, isPrepared, config }: Query): Promise<QueryResult> {
    const statements = parseText(text);
    // The server reports the error. Prepared as one statement, the text can do nothing else.
    if (!statements) return this.#execute([{ ...config, queryMode: 'extended' }], []);
    this.#assertAllowed(statements, values);
    const [only] = statements;
    if (statements.length === 1 && only?.control) return this.#control(only);
    // A prepared text is one statement to the server, which refuses several.
    const isSplit = !isPrepared && statements.some(({ control }) => control);
    return isSplit ? this.#runSeveral(statements) : this.#execute([config], nameSettings(statements, values));
  }

  /** A text with several statements that contains the begin and end of its transactions. */
  async #runSeveral(statements: readonly ParsedStatement[]): Promise<QueryResult> {
    const results: QueryResult[] = [];
    let together: ParsedStatement[] = [];
    const flush = async () => {
      if (together.length === 0) return;
      const text = together.map(({ sql }) => sql).join(';');
      results.push(...[await this.#execute([text], nameSettings(together))].flat());
      together = [];
    };
    for (const statement of statements) {
      if (!statement.control) {
        together.push(statement);
        continue;
      }
      if (statement.control === 'begin' && together.length > 0 && !this.#transaction) {
        throw refuse(statement.sql, 'takes statements before it into its transaction');
      }
      await flush();
      results.push(await this.#control(statement));
    }
    await flush();
    return (results.length === 1 ? results[0] : results) as QueryResult;
  }

  async #control({ control, sql }: ParsedStatement): Promise<QueryResult> {
    switch (control as Control) {
      case 'begin':
        this.#transaction ??= await this.#open();
        return createResult('BEGIN');
      case 'commit':
        return this.#end('COMMIT', (transaction) => this.#commit(transaction));
      case 'rollback':
        return this.#end('ROLLBACK', async ({ savepoint }) => {
          await this.#session.undo(savepoint);
          return createResult('ROLLBACK');
        });
      case 'savepoint':
        if (this.#transaction) return this.#sendWithin(this.#transaction, [sql]);
        throw createNoTransactionError(sql);
    }
  }

  #assertAllowed(statements: readonly ParsedStatement[], values: readonly unknown[]): void {
    // First, because no isolation allows a change of the server.
    assertWithinDatabase(statements, this.#session.client.database);
    assertFollowable(statements, values);
    this.#assertTransaction(statements);
  }

  /** Several statements in one text are a transaction. */
  #assertTransaction([first, ...others]: readonly ParsedStatement[]): void {
    if (this.#transaction || first?.needsTransaction === undefined || others.length > 0) return;
    throw createNoTransactionError(first.needsTransaction);
  }

  /** Within the open transaction, or in a new one. */
  async #execute(args: unknown[], settings: readonly NamedSetting[]): Promise<QueryResult> {
    const send = (transaction: Transaction) => this.#sendWithin(transaction, args, settings);
    return this.#transaction ? send(this.#transaction) : this.#withTransaction(send);
  }

  async #runObject(query: FollowedQuery): Promise<void> {
    const text = readQueryText(query);
    const statements = text === undefined ? undefined : parseText(text);
    if (!statements) throw refuse(text ?? 'a query object', 'does not have its SQL in `text`');
    const { values = [] } = query as { values?: unknown[] };
    this.#assertAllowed(statements, values);
    if (statements.some(({ control }) => control)) throw refuse(text ?? '', 'is a query object that ends transactions');
    let forward = NOTHING;
    const send = async (transaction: Transaction) => {
      const settings = nameSettings(statements, values);
      await this.#remember(transaction, settings);
      const outcome = await this.#session.follow(query);
      forward = outcome.forward;
      if (outcome.error) throw outcome.error;
      await this.#noteKept(transaction, settings);
    };
    await (this.#transaction ? send(this.#transaction) : this.#withTransaction(send)).then(
      () => forward(),
      (error: Error) => (forward === NOTHING ? query.handleError(error) : forward()),
    );
  }

  async #sendWithin(
    transaction: Transaction,
    args: unknown[],
    settings: readonly NamedSetting[] = [],
  ): Promise<QueryResult> {
    await this.#remember(transaction, settings);
    const result = await this.#session.send(args);
    await this.#noteKept(transaction, settings);
    return result;
  }

  async #remember({ test, settings }: Transaction, changed: readonly NamedSetting[]): Promise<void> {
    if (test !== this.#session.test) throw new Error(LATE);
    for (const { name, isLocal, isDeferred } of changed) {
      if (!isLocal || settings.has(name)) continue;
      const value = await this.#session.readSetting(name);
      settings.set(name, value);
      if (isDeferred) this.#session.watch(name, value);
    }
  }

  /** Session settings stay when the transaction has ended. */
  async #noteKept({ settings }: Transaction, changed: readonly NamedSetting[]): Promise<void> {
    const locals = changed.filter(({ isLocal }) => isLocal).map(({ name }) => name);
    const kept = changed.filter(({ isLocal }) => !isLocal).map(({ name }) => name);
    for (const name of settings.keys()) {
      if (locals.includes(name) || !(kept.includes(name) || kept.includes(EVERY_SETTING))) continue;
      settings.set(name, await this.#session.readSetting(name));
    }
  }

  async #withTransaction<T>(use: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction = await this.#open();
    try {
      const result = await use(transaction);
      await this.#settle(transaction);
      return result;
    } catch (error) {
      if (transaction.test === this.#session.test) await this.#session.undo(transaction.savepoint);
      throw error;
    } finally {
      transaction.endTurn();
    }
  }

  async #open(): Promise<Transaction> {
    const { test } = this.#session;
    const endTurn = await this.#session.takeTurn();
    if (test !== this.#session.test) throw new Error(LATE);
    return { test, savepoint: await this.#session.openSavepoint(), endTurn, settings: new Map(this.#session.watched) };
  }

  async #end(command: string, work: (transaction: Transaction) => Promise<QueryResult>): Promise<QueryResult> {
    const transaction = this.#transaction;
    if (!transaction) return createResult(command);
    this.#transaction = undefined;
    if (transaction.test !== this.#session.test) throw new Error(LATE);
    return work(transaction).finally(transaction.endTurn);
  }

  async #commit(transaction: Transaction): Promise<QueryResult> {
    try {
      await this.#settle(transaction);
      return createResult('COMMIT');
    } catch (error) {
      await this.#session.undo(transaction.savepoint);
      // PostgreSQL answers COMMIT in a failed transaction with ROLLBACK, not with an error.
      if ((error as { code?: string }).code === IN_FAILED_TRANSACTION) return createResult('ROLLBACK');
      throw error;
    }
  }

  /** Commits as far as the session can: transaction settings end with it. */
  async #settle({ test, savepoint, settings }: Transaction): Promise<void> {
    if (test !== this.#session.test) throw new Error(LATE);
    await this.#session.release(savepoint, settings);
  }
}

const NOTHING = () => {};

const LATE =
  'test database: a transaction continued after its test had ended; expected every query to be awaited before the test ends';

function createNoTransactionError(command: string): Error {
  return Object.assign(new Error(`${command} can only be used in transaction blocks`), { code: NO_ACTIVE_TRANSACTION });
}

function createResult(command: string): QueryResult {
  return { command, rowCount: null, oid: 0, fields: [], rows: [] };
}
