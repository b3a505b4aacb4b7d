import type { Client, PoolClient, QueryResult } from 'pg';

const WAIT_LIMIT_MS = 2000;
/** What the application sets for one transaction; within ours it would last until the test's end. */
const TRANSACTION_SETTINGS = ['app.user_id'];

type Command = 'begin' | 'commit' | 'rollback' | 'other';

/**
 * One session whose transaction never commits. Code under test begins, commits and rolls back as it likes: each of its
 * transactions is a savepoint here, and so is each statement outside of one, so that a failed statement ends only itself.
 *
 * What differs from real transactions: now() stands still for a test, and two transactions cannot be open at once. Code
 * that needs either is tested with `isolation: 'delete'`.
 */
export class RollbackSession {
  readonly #client: Client;
  #turn: Promise<void> = Promise.resolve();
  #savepoints = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  async begin(): Promise<void> {
    // A test may have ended with a transaction open; that must not keep the next one waiting.
    this.#turn = Promise.resolve();
    await this.#client.query('BEGIN');
  }

  async rollback(): Promise<void> {
    await this.#client.query('ROLLBACK');
  }

  async end(): Promise<void> {
    await this.#client.end();
  }

  /** What a pool hands out: looks like a session of one's own. */
  lease(): PoolClient {
    const lease = new Lease(this);
    return new Proxy(this.#client, {
      get: (client, key) => {
        if (key === 'query') return lease.query;
        if (key === 'release') return lease.release;
        const value: unknown = Reflect.get(client, key, client);
        return typeof value === 'function' ? (value.bind(client) as unknown) : value;
      },
    }) as unknown as PoolClient;
  }

  /** Waits until no other lease has a transaction open. @returns what ends one's own turn */
  async takeTurn(): Promise<() => void> {
    const earlier = this.#turn;
    let endTurn = () => {};
    this.#turn = new Promise((resolve) => (endTurn = resolve));
    await withTimeLimit(earlier);
    return endTurn;
  }

  async openSavepoint(): Promise<string> {
    this.#savepoints += 1;
    const name = `airlock_${this.#savepoints}`;
    await this.#client.query(`SAVEPOINT ${name}`);
    return name;
  }

  /** As COMMIT does, checks what was deferred and forgets what was set for the transaction. */
  async release(savepoint: string): Promise<void> {
    const forget = TRANSACTION_SETTINGS.map((name) => `SET LOCAL ${name} = ''`).join(';');
    await this.#client.query(
      `SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE SAVEPOINT ${savepoint}; ${forget}`,
    );
  }

  async undo(savepoint: string): Promise<void> {
    await this.#client.query(`ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`);
  }

  send(args: unknown[]): Promise<QueryResult> {
    const query = this.#client.query.bind(this.#client) as (...args: unknown[]) => Promise<QueryResult>;
    return query(...args);
  }
}

/** One borrower's view of the session. */
class Lease {
  readonly #session: RollbackSession;
  #transaction: { savepoint: string; endTurn: () => void } | undefined;

  constructor(session: RollbackSession) {
    this.#session = session;
  }

  /** As pg: a text and values, or a query config; a promise, or a callback in the last place. */
  readonly query = (...args: unknown[]): unknown => {
    const callback =
      typeof args.at(-1) === 'function' ? (args.pop() as (e: unknown, r?: QueryResult) => void) : undefined;
    const result = this.#run(args);
    if (!callback) return result;
    result.then((rows) => callback(null, rows), callback);
    return undefined;
  };

  /** A pool rolls nothing back; but nobody after this borrower may be left waiting. */
  readonly release = (): void => {
    this.#transaction?.endTurn();
    this.#transaction = undefined;
  };

  async #run(args: unknown[]): Promise<QueryResult> {
    const text = readText(args[0]);
    switch (classify(text)) {
      case 'begin':
        return this.#begin(text);
      case 'commit':
        return this.#end((savepoint) => this.#commit(savepoint));
      case 'rollback':
        return this.#end((savepoint) => this.#session.undo(savepoint).then(() => createResult('ROLLBACK')));
      case 'other':
        return this.#transaction ? this.#session.send(args) : this.#runAlone(args);
    }
  }

  async #begin(text: string): Promise<QueryResult> {
    if (/isolation|read only/i.test(text)) {
      throw new Error(
        `test database: "${text}" needs a transaction of its own; expected isolation: 'delete' or 'clone'`,
      );
    }
    if (this.#transaction) return createResult('BEGIN');
    const endTurn = await this.#session.takeTurn();
    this.#transaction = { savepoint: await this.#session.openSavepoint(), endTurn };
    return createResult('BEGIN');
  }

  async #end(work: (savepoint: string) => Promise<QueryResult>): Promise<QueryResult> {
    if (!this.#transaction) return createResult('COMMIT');
    const { savepoint, endTurn } = this.#transaction;
    this.#transaction = undefined;
    return work(savepoint).finally(endTurn);
  }

  async #commit(savepoint: string): Promise<QueryResult> {
    try {
      await this.#session.release(savepoint);
      return createResult('COMMIT');
    } catch (error) {
      await this.#session.undo(savepoint);
      // PostgreSQL answers COMMIT in a failed transaction with ROLLBACK, not with an error.
      if ((error as { code?: string }).code === IN_FAILED_TRANSACTION) return createResult('ROLLBACK');
      throw error;
    }
  }

  async #runAlone(args: unknown[]): Promise<QueryResult> {
    const endTurn = await this.#session.takeTurn();
    try {
      const savepoint = await this.#session.openSavepoint();
      try {
        const result = await this.#session.send(args);
        await this.#session.release(savepoint);
        return result;
      } catch (error) {
        await this.#session.undo(savepoint);
        throw error;
      }
    } finally {
      endTurn();
    }
  }
}

const IN_FAILED_TRANSACTION = '25P02';

function readText(query: unknown): string {
  if (typeof query === 'string') return query;
  const { text, submit } = query as { text?: string; submit?: unknown };
  if (typeof submit === 'function') {
    throw new Error("test database: a query object of one's own cannot be followed; expected isolation: 'delete'");
  }
  return text ?? '';
}

function classify(text: string): Command {
  if (/^\s*(begin|start\s+transaction)\b/i.test(text)) return 'begin';
  if (/^\s*(commit|end)\b/i.test(text)) return 'commit';
  if (/^\s*rollback\s*(transaction|work)?\s*;?\s*$/i.test(text)) return 'rollback';
  return 'other';
}

function createResult(command: string): QueryResult {
  return { command, rowCount: null, oid: 0, fields: [], rows: [] };
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
