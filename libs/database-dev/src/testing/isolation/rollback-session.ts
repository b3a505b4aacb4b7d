import { loadModule } from 'libpg-query';
import type { Client, QueryResult } from 'pg';
import { type FollowedQuery, followQuery } from './followed-query.js';

const WAIT_LIMIT_MS = 2000;
/** The wire's own memory of what is prepared, which pg and the application's own query objects share. */
interface Wire {
  readonly connection: { parsedStatements: object; submittedNamedStatements: object };
}

/**
 * One session whose transaction never commits. Code under test begins, commits and rolls back as it likes: each of its
 * transactions is a savepoint here, and so is each statement outside of one, so that a failed statement ends only itself.
 * What a text does is decided by PostgreSQL's own grammar; what one session cannot show is refused.
 *
 * What differs from real transactions: now() stands still for a test, and two transactions cannot be open at once. Code
 * that needs either is tested with `isolation: 'delete'`.
 */
export class RollbackSession {
  readonly client: Client;
  /** Otherwise what is committed is committed. */
  isInTest = false;
  #turn: Promise<void> = Promise.resolve();
  #savepoints: string[] = [];
  #count = 0;
  #test = 0;

  private constructor(client: Client) {
    this.client = client;
  }

  static async open(client: Client): Promise<RollbackSession> {
    await loadModule();
    return new RollbackSession(client);
  }

  /** The number of the test that runs. A transaction belongs to one test and ends with it. */
  get test(): number {
    return this.#test;
  }

  async begin(): Promise<void> {
    // A test may have ended with a transaction open; that must not keep the next one waiting.
    this.#turn = Promise.resolve();
    this.#savepoints = [];
    this.#test += 1;
    if (this.client.getTransactionStatus() !== 'I') await this.client.query('ROLLBACK');
    await this.client.query('BEGIN');
    this.isInTest = true;
  }

  /** Undoes the test, and what no transaction covers: prepared statements, advisory locks, settings. */
  async rollback(): Promise<void> {
    this.#endTest();
    await this.client.query('ROLLBACK');
    await this.client.query('DISCARD ALL');
    const { connection } = this.client as unknown as Wire;
    Object.assign(connection, { parsedStatements: {}, submittedNamedStatements: {} });
  }

  /** Lets the rest of the server see what a failed test did. A transaction that had failed is undone first. */
  async publish(): Promise<void> {
    this.#endTest();
    const [outermost] = this.#savepoints;
    if (this.client.getTransactionStatus() === 'E' && outermost) {
      await this.client.query(`ROLLBACK TO SAVEPOINT ${outermost}`);
    }
    await this.client.query('COMMIT');
  }

  /** Waits until no other lease has a transaction open. @returns what ends one's own turn */
  async takeTurn(): Promise<() => void> {
    const earlier = this.#turn;
    let endTurn = () => {};
    this.#turn = new Promise((resolve) => (endTurn = resolve));
    await withTimeLimit(earlier);
    return endTurn;
  }

  /** Before the first test there is nothing to roll back: what a file's own hooks commit is the ground of its tests. */
  async openSavepoint(): Promise<string> {
    if (!this.isInTest) {
      await this.client.query('BEGIN');
      return '';
    }
    const name = `airlock_${(this.#count += 1)}`;
    await this.client.query(`SAVEPOINT ${name}`);
    this.#savepoints.push(name);
    return name;
  }

  /** As COMMIT does, checks what was deferred. */
  async release(savepoint: string): Promise<void> {
    if (!this.isInTest) return void (await this.client.query('COMMIT'));
    await this.client.query(
      `SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE SAVEPOINT ${savepoint}`,
    );
    this.#forget(savepoint);
  }

  async undo(savepoint: string): Promise<void> {
    if (!this.isInTest) return void (await this.client.query('ROLLBACK'));
    await this.client.query(`ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`);
    this.#forget(savepoint);
  }

  /** Sends what the code under test said, as it said it. */
  async send(args: unknown[]): Promise<QueryResult> {
    const query = this.client.query.bind(this.client) as (...args: unknown[]) => Promise<QueryResult>;
    const result = await query(...args);
    this.#assertOpen();
    return result;
  }

  /** Sends a query object; `forward` gives it the server's last word. */
  follow(query: FollowedQuery): Promise<{ error: Error | undefined; forward: () => void }> {
    return followQuery(this.client, query);
  }

  #endTest(): void {
    this.#test += 1;
    this.isInTest = false;
    this.#assertOpen();
  }

  #forget(savepoint: string): void {
    this.#savepoints = this.#savepoints.slice(0, this.#savepoints.indexOf(savepoint));
  }

  /** The last line of defence: whatever ended the transaction, nothing more is said as if it were still there. */
  #assertOpen(): void {
    if (this.client.getTransactionStatus() !== 'I') return;
    throw new Error(
      'test database: something ended the transaction of the test, so its changes may stay in the database of this file; ' +
        "expected isolation: 'delete' or 'clone' for it",
    );
  }
}

async function withTimeLimit(turn: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const problem =
      "test database: two transactions at once cannot share a session; expected isolation: 'delete' or 'clone'";
    timer = setTimeout(() => reject(new Error(problem)), WAIT_LIMIT_MS);
  });
  await Promise.race([turn, limit]).finally(() => clearTimeout(timer));
}
