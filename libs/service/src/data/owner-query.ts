import { createHash } from 'node:crypto';
import pg from 'pg';

/** A statement that is parsed once per connection. */
export interface Statement {
  /** For traces and logs. PostgreSQL identifies the statement by a hash of its text. */
  readonly name: string;
  /** Must not contain values, because each text is kept until the process ends. */
  readonly text: string;
}

/** A statement with its values, ready to be bound. */
export interface BoundStatement extends Statement {
  readonly values: readonly unknown[];
}

/** The part of pg's connection that implements the extended query protocol. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  readonly parsedStatements: Record<string, string | undefined>;
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: readonly unknown[]; valueMapper: (value: unknown) => unknown }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: object): void;
  sync(): void;
  on(event: 'parseComplete', listener: () => void): void;
  off(event: 'parseComplete', listener: () => void): void;
}

/** The methods of pg's Result that process messages of the server. */
interface Rows {
  readonly rows: unknown[];
  addFields(fields: unknown): void;
  parseRow(fields: unknown): unknown;
  addRow(row: unknown): void;
}

const { Result, utils } = pg as unknown as {
  Result: new () => Rows;
  utils: { prepareValue: (value: unknown) => unknown };
};

const preparedNames = new Map<string, string>();

/** PostgreSQL truncates names at 63 bytes, so long names could collide. A hash of the text is short and distinct. */
export function createPreparedName({ text }: Statement): string {
  const known = preparedNames.get(text);
  if (known !== undefined) return known;
  const name = `s_${createHash('sha256').update(text).digest('base64url')}`;
  preparedNames.set(text, name);
  return name;
}

export type Callback = (error: Error | null, rows: readonly unknown[]) => void;

/**
 * Two prepared statements in one write and one round trip: the first sets the user, the second is the query. Both run
 * before one Sync, so they form one transaction. The setting is local to it and always gone when the connection returns
 * to its pool. After an error the server skips the rest, so the query never runs without the user.
 *
 * @see https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class OwnerQuery {
  readonly #statements: readonly [BoundStatement, BoundStatement];
  readonly #callback: Callback;
  readonly #result = new Result();
  /** Statements that were sent to be parsed and are not confirmed yet. */
  readonly #parsing: Statement[] = [];
  #wire: Wire | undefined;
  #completed = 0;
  #error: Error | undefined;

  constructor(owner: BoundStatement, statement: BoundStatement, callback: Callback) {
    this.#statements = [owner, statement];
    this.#callback = callback;
  }

  /** The text of both statements. */
  get text(): string {
    return this.#statements.map(({ text }) => text).join(';\n');
  }

  submit(connection: object): null {
    const wire = connection as Wire;
    this.#wire = wire;
    const [owner, statement] = this.#statements;
    wire.stream.cork();
    try {
      this.#parse(wire);
      this.#execute(wire, owner);
      this.#execute(wire, statement, { isDescribed: true });
    } catch (error) {
      // A value could not be encoded. The messages that were already sent form an empty transaction.
      this.#error = error as Error;
    } finally {
      wire.sync();
      wire.stream.uncork();
    }
    return null;
  }

  handleRowDescription(message: { fields: unknown }): void {
    this.#result.addFields(message.fields);
  }

  handleDataRow(message: { fields: unknown }): void {
    if (this.#completed === 0 || this.#error) return;
    try {
      this.#result.addRow(this.#result.parseRow(message.fields));
    } catch (error) {
      this.#error = error as Error;
    }
  }

  handleCommandComplete(): void {
    this.#completed += 1;
  }

  handleEmptyQuery(): void {
    this.#completed += 1;
  }

  /** pg removes the query from the connection after an error, so ReadyForQuery does not arrive here. */
  handleError(error: Error): void {
    this.#finish(error);
  }

  handleReadyForQuery(): void {
    this.#finish(this.#error);
  }

  #parse(wire: Wire): void {
    for (const statement of this.#statements) {
      const name = createPreparedName(statement);
      if (wire.parsedStatements[name] !== undefined) continue;
      wire.parse({ name, text: statement.text });
      this.#parsing.push(statement);
    }
    if (this.#parsing.length > 0) wire.on('parseComplete', this.#confirmParsed);
  }

  /** A statement stays prepared even if its transaction fails. */
  readonly #confirmParsed = (): void => {
    const statement = this.#parsing.shift();
    if (statement && this.#wire) this.#wire.parsedStatements[createPreparedName(statement)] = statement.text;
  };

  #execute(wire: Wire, statement: BoundStatement, { isDescribed = false } = {}): void {
    wire.bind({ statement: createPreparedName(statement), values: statement.values, valueMapper: utils.prepareValue });
    if (isDescribed) wire.describe({ type: 'P', name: '' });
    wire.execute({});
  }

  #finish(error: Error | undefined): void {
    this.#wire?.off('parseComplete', this.#confirmParsed);
    this.#callback(error ?? null, this.#result.rows);
  }
}
