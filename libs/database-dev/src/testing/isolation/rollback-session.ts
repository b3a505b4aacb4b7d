import type { EventEmitter } from 'node:events';
import { loadModule } from 'libpg-query';
import { type Client, escapeLiteral, type QueryResult } from 'pg';
import { type FollowedQuery, followQuery } from './followed-query.js';
import { isParsedDifferently, PARSER_SETTINGS } from './session-settings.js';

const WAIT_LIMIT_MS = 2000;
const FIRST_SAVEPOINT = 'airlock_test';
const NO_SUCH_SAVEPOINT = '3B001';
/** The prepared statements of the connection, which pg and the application's own query objects share. */
interface Wire {
  readonly connection: EventEmitter & {
    parsedStatements: Record<string, string>;
    submittedNamedStatements: Record<string, string>;
  };
}

/**
 * One session whose transaction never commits. Code under test may begin, commit and roll back: each of its
 * transactions is a savepoint here, and so is each statement outside of one, so that a failed statement ends only
 * itself. PostgreSQL's own grammar decides what a text does; statements that one session cannot emulate are refused.
 * Two differences from real transactions remain: now() does not change during a test, and two transactions cannot be
 * open at once. Test code that needs either with `isolation: 'delete'`.
 */
export class RollbackSession {
  readonly client: Client;
  /** Without it, commits are real. */
  isInTest = false;
  #turn: Promise<void> = Promise.resolve();
  #savepoints: string[] = [];
  #count = 0;
  #test = 0;
  /** The number that the server gave the transaction of the test. */
  #transaction = '';
  readonly #watched = new Map<string, string>();
  /** The schema objects from which the names of these settings were read. */
  #sources = '';
  /** The reason why no further test may use the database. */
  #damage: Error | undefined;
  /** Settings with which the server parses a text differently from the parser. */
  readonly #otherReadings = new Map<string, string>();

  private constructor(client: Client) {
    this.client = client;
    // The server reports changes of these settings itself, for any cause.
    this.#connection.on('parameterStatus', ({ parameterName, parameterValue }: Record<string, string>) =>
      this.#noteReading(parameterName ?? '', parameterValue ?? ''),
    );
  }

  static async open(client: Client): Promise<RollbackSession> {
    await loadModule();
    const session = new RollbackSession(client);
    const { rows } = await client.query<{ name: string; setting: string }>(
      'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)',
      [PARSER_SETTINGS],
    );
    for (const { name, setting } of rows) session.#noteReading(name, setting);
    session.#assertReading();
    return session;
  }

  /** The number of the test that runs. A transaction belongs to one test and ends with it. */
  get test(): number {
    return this.#test;
  }

  /** @throws if an earlier test has committed to the database, which is then not clean */
  async begin(): Promise<void> {
    if (this.#damage) throw this.#damage;
    // A test may have ended with a transaction open; the next one must not wait for it.
    this.#turn = Promise.resolve();
    this.#savepoints = [];
    this.#test += 1;
    if (this.client.getTransactionStatus() !== 'I') await this.client.query('ROLLBACK');
    await this.#noteStart();
    this.isInTest = true;
  }

  /** Rolls back the test, and resets state outside of transactions: prepared statements, advisory locks, settings. */
  async rollback(): Promise<void> {
    this.#endTest();
    await this.#assertSame(FIRST_SAVEPOINT);
    await this.client.query('ROLLBACK');
    await this.client.query('DISCARD ALL');
    Object.assign(this.#connection, { parsedStatements: {}, submittedNamedStatements: {} });
  }

  /** Makes the rows of a failed test visible to other sessions. A failed transaction is rolled back first. */
  async publish(): Promise<void> {
    this.#endTest();
    const [outermost = FIRST_SAVEPOINT] = this.#savepoints;
    await this.#assertSame(this.client.getTransactionStatus() === 'E' ? outermost : undefined);
    await this.client.query('COMMIT');
  }

  /** The text that pg has prepared under the name. */
  findPrepared(name: string): string | undefined {
    const { parsedStatements, submittedNamedStatements } = this.#connection;
    return parsedStatements[name] ?? submittedNamedStatements[name];
  }

  /** Waits until no other lease has a transaction open. @returns a function that ends the turn */
  async takeTurn(): Promise<() => void> {
    const earlier = this.#turn;
    let endTurn = () => {};
    this.#turn = new Promise((resolve) => (endTurn = resolve));
    await withTimeLimit(earlier);
    return endTurn;
  }

  /** Before the first test nothing is rolled back: all tests use the rows that the file's own hooks commit. */
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

  /** Like COMMIT, checks deferred constraints and resets transaction settings. */
  async release(savepoint: string, settings: ReadonlyMap<string, string>): Promise<void> {
    if (!this.isInTest) return void (await this.client.query('COMMIT'));
    await this.client.query(
      `SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE SAVEPOINT ${savepoint}` +
        createRestore(settings),
    );
    this.#forget(savepoint);
    for (const name of this.#watched.keys()) this.#watched.set(name, settings.get(name) ?? '');
  }

  /** Settings that end with each transaction, even if no text names them. */
  get watched(): ReadonlyMap<string, string> {
    return this.#watched;
  }

  watch(name: string, value: string): void {
    this.#watched.set(name, value);
  }

  async readSetting(name: string): Promise<string> {
    const { rows } = await this.send(['SELECT pg_catalog.current_setting($1, true) AS value', [name]]);
    return (rows[0] as { value: string | null }).value ?? '';
  }

  async undo(savepoint: string): Promise<void> {
    if (!this.isInTest) return void (await this.client.query('ROLLBACK'));
    await this.client.query(`ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`);
    this.#forget(savepoint);
  }

  /** Sends the statements of the code under test unchanged. */
  async send(args: unknown[]): Promise<QueryResult> {
    this.#assertReading();
    const query = this.client.query.bind(this.client) as (...args: unknown[]) => Promise<QueryResult>;
    const result = await query(...args);
    this.#assertOpen();
    this.#assertReading();
    return result;
  }

  /** Sends a query object; `forward` passes the server's last message to it. */
  async follow(query: FollowedQuery): Promise<{ error: Error | undefined; forward: () => void }> {
    this.#assertReading();
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

  get #connection(): Wire['connection'] {
    return (this.client as unknown as Wire).connection;
  }

  #noteReading(name: string, value: string): void {
    if (isParsedDifferently(name, value)) this.#otherReadings.set(name, value);
    else this.#otherReadings.delete(name);
  }

  #assertReading(): void {
    const [setting] = this.#otherReadings;
    if (!setting) return;
    throw new Error(
      `test database: the session has ${setting.join(' = ')}, so the server parses a text differently from the parser; ` +
        "expected the setting of the server, or isolation: 'delete' or 'clone'",
    );
  }

  /** If the transaction was ended, later statements must not run as if it were still open. */
  #assertOpen(): void {
    if (this.client.getTransactionStatus() === 'I') throw this.#noteDamage();
  }

  /**
   * The last check: the transaction that ends must be the one that the test began with, even if the parser missed
   * something.
   *
   * @param savepoint the savepoint to return to first, because a failed transaction answers no query
   */
  async #assertSame(savepoint: string | undefined): Promise<void> {
    const transaction = this.#transaction;
    const first = savepoint === undefined ? '' : `ROLLBACK TO SAVEPOINT ${savepoint}; `;
    const read = async () => [await this.client.query<{ id: string }>(`${first}${TRANSACTION_SQL}`)].flat().at(-1);
    // Only the transaction of the test has the savepoint.
    const result = await read().catch((error: { code?: string }) => {
      if (error.code !== NO_SUCH_SAVEPOINT) throw error as Error;
      return undefined;
    });
    const found = result?.rows[0]?.id;
    if (found !== transaction) throw this.#noteDamage();
  }

  /**
   * Begins the transaction, and records it with the settings that the schema reads, such as the owner of rows, or that
   * a prepared statement of a hook changes. Their names are read again only after a schema object that may contain one
   * has changed.
   */
  async #noteStart(): Promise<void> {
    const names = [...this.#watched.keys()];
    const list = `ARRAY[${names.map(escapeLiteral).join(', ')}]::text[]`;
    // One text is one round trip.
    const results = (await this.client.query(
      `BEGIN; SAVEPOINT ${FIRST_SAVEPOINT}; ${START_SQL}; ${VALUES_SQL.replace('$1', () => list)}`,
    )) as unknown as QueryResult[];
    const [{ id = '', sources = '' } = {}] = (results.at(-2)?.rows ?? []) as { id?: string; sources?: string }[];
    const found = sources === this.#sources ? results.at(-1) : await this.client.query(WATCHED_SQL, [names]);
    for (const { name, value } of (found?.rows ?? []) as { name: string; value: string }[])
      this.#watched.set(name, value);
    [this.#transaction, this.#sources] = [id, sources];
  }

  #noteDamage(): Error {
    this.#damage ??= new Error(
      'test database: an earlier test of this file ended the transaction that is rolled back after it, so its changes may ' +
        'stay in the database of this file, and no further test runs in it; see the first failed test of the file',
    );
    return new Error(
      'test database: something ended the transaction of the test, so its changes may stay in the database of this file; ' +
        "expected isolation: 'delete' or 'clone' for it",
    );
  }
}

function createRestore(settings: ReadonlyMap<string, string>): string {
  if (settings.size === 0) return '';
  const values = [...settings].map(([name, value]) => `(${escapeLiteral(name)}, ${escapeLiteral(value)})`);
  return `; SELECT pg_catalog.set_config(name, value, true) FROM (VALUES ${values.join(', ')}) AS setting (name, value)
    WHERE coalesce(pg_catalog.current_setting(name, true), '') OPERATOR(pg_catalog.<>) value`;
}

const FIRST_NORMAL_OID = 16_384;

const TRANSACTION_SQL = 'SELECT pg_catalog.pg_current_xact_id()::text AS id';

/** By index, and only objects that are not part of the server. */
const START_SQL = `${TRANSACTION_SQL}, concat_ws(' ', ${['pg_policy', 'pg_proc', 'pg_rewrite', 'pg_attrdef']
  .map(
    (catalogue) =>
      `(SELECT string_agg(concat(oid, ':', xmin), ' ' ORDER BY oid) FROM pg_catalog.${catalogue} WHERE oid >= ${FIRST_NORMAL_OID})`,
  )
  .join(', ')}) AS sources`;

const VALUES_SQL = `SELECT name, coalesce(current_setting(name, true), '') AS value FROM unnest($1::text[]) AS name`;

const WATCHED_SQL = String.raw`
WITH source (sql) AS (
  SELECT concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
  UNION ALL SELECT concat(prosrc, pg_get_function_sqlbody(oid)) FROM pg_proc
             WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  UNION ALL SELECT pg_get_viewdef(oid) FROM pg_class
             WHERE relkind = 'v' AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  UNION ALL SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
), named (name) AS (
  SELECT lower(match[1]) FROM source,
    regexp_matches(sql, $re$(?:current_setting|set_config)\s*\(\s*'+([\w.]+)'$re$, 'gi') match
  UNION SELECT lower(match[1]) FROM source, regexp_matches(sql, $re$\mset\s+local\s+([\w.]+)$re$, 'gi') match
  UNION SELECT unnest($1::text[])
)
SELECT name, coalesce(current_setting(name, true), '') AS value FROM named`;

async function withTimeLimit(turn: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const problem =
      "test database: two transactions at once cannot share a session; expected isolation: 'delete' or 'clone'";
    timer = setTimeout(() => reject(new Error(problem)), WAIT_LIMIT_MS);
  });
  await Promise.race([turn, limit]).finally(() => clearTimeout(timer));
}
