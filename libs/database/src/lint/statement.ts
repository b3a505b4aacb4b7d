import { loadModule, type Node, type ParseResult, parseSync, type RangeVar, type SqlError } from 'libpg-query';
import { type Migration, MigrationError, type Statement } from '../migrate/migration.js';

/** One statement as the rules see it: its syntax tree, and what the migration did before. */
export interface ParsedStatement {
  readonly migration: Migration;
  readonly index: number;
  readonly sql: string;
  readonly allow: Readonly<Record<string, string>>;
  readonly node: Node;
  /** Trees of the statements before it in the same migration. */
  readonly earlier: readonly Node[];
  /** Tables made before it in the same migration: nobody waits for them and they are empty. */
  readonly created: ReadonlySet<string>;
}

/** The grammar of PostgreSQL 18 itself. @throws the parser's message, with the statement it is about */
export async function parseMigration(migration: Migration): Promise<ParsedStatement[]> {
  await loadModule();
  const created = new Set<string>();
  const earlier: Node[] = [];
  return migration.statements.map((statement, index) => {
    const node = parseStatement(statement, migration, index);
    const parsed = {
      migration,
      index,
      sql: statement.sql,
      allow: statement.allow ?? {},
      node,
      earlier: [...earlier],
      created: new Set(created),
    };
    earlier.push(node);
    if ('CreateStmt' in node) created.add(nameOf(node.CreateStmt.relation));
    return parsed;
  });
}

function parseStatement({ sql }: Statement, { name }: Migration, index: number): Node {
  const where = `${name}, statement ${index + 1}`;
  const { stmts = [] } = parseSql(sql, where);
  if (stmts.length !== 1)
    throw new MigrationError(`${where}: holds ${stmts.length} statements; expected one in each text`);
  return stmts[0]?.stmt as Node;
}

/** @throws MigrationError with the parser's message and the line that it stopped at */
export function parseSql(sql: string, where: string): ParseResult {
  try {
    return parseSync(sql);
  } catch (cause) {
    const { message, sqlDetails } = cause as SqlError;
    const line = sql.slice(0, sqlDetails?.cursorPosition ?? 0).split('\n').length;
    throw new MigrationError(`${where}: ${message}, in line ${line}; expected SQL of PostgreSQL 18`, { cause });
  }
}

export function nameOf(relation: RangeVar | undefined): string {
  return [relation?.schemaname, relation?.relname].filter(Boolean).join('.');
}

/** The last part of a name: what constraints and indexes are called after. */
export function bareName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) =>
    'String' in node ? [node.String.sval ?? ''] : 'List' in node ? [stringsOf(node.List.items).join('.')] : [],
  );
}

/** Whether any node below, of any kind, satisfies the test. */
export function someNode(value: unknown, test: (kind: string, body: Record<string, unknown>) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => someNode(item, test));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => (/^[A-Z]/.test(key) && test(key, inner as Record<string, unknown>)) || someNode(inner, test),
  );
}
