import { loadModule, type Node, type ParseResult, parseSync, type RangeVar, type SqlError } from 'libpg-query';
import { type Migration, MigrationError, type MigrationStatement } from '@airlock/database/model';
import type { DomainState } from './domain-state.js';
import { quoteName } from './names.js';

/** One statement for the rules: its syntax tree, and the statements of the migration before it. */
export interface ParsedStatement {
  readonly migration: Migration;
  readonly index: number;
  readonly sql: string;
  readonly allow: Readonly<Record<string, string>>;
  /** Empty if the text is not one statement; `unreadable` contains the reason. */
  readonly node: Node;
  /** Part of another statement, whose WITH may define the names that this one uses. */
  readonly isNested: boolean;
  readonly unreadable: string | undefined;
  /** Trees of the statements before it in the same migration. */
  readonly earlier: readonly Node[];
  /** Objects that the migration created before it: no other session uses them yet. */
  readonly created: ReadonlySet<string>;
  /** Name → domain, of those that exist before it. */
  readonly domains: ReadonlyMap<string, DomainState>;
}

/** Facts about a statement from the server that are needed to read the next ones. */
interface KnownOutcome {
  /** Names of objects that the migration created before this statement. */
  readonly created: readonly string[];
  readonly domains: readonly DomainState[];
  readonly error: string | undefined;
}

/**
 * Uses the grammar of PostgreSQL 18 itself. Only the trace shows which objects a statement created, because IF NOT
 * EXISTS may skip it.
 */
export async function parseMigration(
  migration: Migration,
  traces: readonly KnownOutcome[],
): Promise<ParsedStatement[]> {
  await loadModule();
  const temporary = new Set<string>();
  const earlier: Node[] = [];
  return migration.statements.map((statement, index) => {
    const parsed = {
      migration,
      index,
      sql: statement.sql,
      allow: statement.allow ?? {},
      ...parseStatement(statement),
      isNested: false,
      earlier: [...earlier],
      domains: new Map((traces[index]?.domains ?? []).map((domain) => [domain.name, domain])),
      created: new Set([...temporary, ...(traces[index]?.created ?? [])]),
    };
    const { node } = parsed;
    earlier.push(node);
    if ('CreateStmt' in node && isTemporary(node.CreateStmt.relation, traces[index]?.error))
      for (const schema of [undefined, 'pg_temp']) temporary.add(quoteName(schema, node.CreateStmt.relation?.relname));
    return parsed;
  });
}

/** The runner's search_path rejects a table without a schema. That is one finding; the table's index is not another. */
function isTemporary({ schemaname, relpersistence }: RangeVar = {}, error: string | undefined): boolean {
  return relpersistence === 't' || schemaname === 'pg_temp' || (schemaname === undefined && error !== undefined);
}

function parseStatement({ sql }: MigrationStatement): Pick<ParsedStatement, 'node' | 'unreadable'> {
  try {
    const { stmts = [] } = parseSql(sql);
    const [{ stmt } = {}] = stmts;
    if (stmts.length === 1 && stmt !== undefined) return { node: stmt, unreadable: undefined };
    return { node: {} as Node, unreadable: `holds ${stmts.length} statements; expected one in each text` };
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    return { node: {} as Node, unreadable: error.message };
  }
}

/** @throws MigrationError with the parser's message and the line of the error */
export function parseSql(sql: string): ParseResult {
  // The parser takes a NUL for the end of the text, and would ignore everything after it.
  const nul = sql.indexOf('\0');
  if (nul >= 0)
    throw new MigrationError(
      `NUL character, in line ${sql.slice(0, nul).split('\n').length}; expected SQL of PostgreSQL 18`,
    );
  try {
    return sql.trim() === '' ? { version: 0, stmts: [] } : parseSync(sql);
  } catch (cause) {
    const { message, sqlDetails } = cause as SqlError;
    const before = [...sql].slice(0, sqlDetails?.cursorPosition ?? 0).join('');
    const line = before.split('\n').length;
    throw new MigrationError(`${message}, in line ${line}; expected SQL of PostgreSQL 18`, { cause });
  }
}

/** Whether any node below, of any kind, satisfies the test. */
export function someNode(value: unknown, test: (kind: string, body: Record<string, unknown>) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => someNode(item, test));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => (/^[A-Z]/.test(key) && test(key, inner as Record<string, unknown>)) || someNode(inner, test),
  );
}
