import { type Node, parsePlPgSQLSync, parseSync } from 'libpg-query';
import { someNode } from '../../lint/syntax/statement.js';

/** Code that could change a setting, or build a text that does. */
const SUSPICIOUS = /set_config|\bset\b|\breset\b|\bexecute\b|pg_settings/i;

/**
 * The statements in the body of a DO block, function or procedure.
 *
 * @returns undefined if they are only known when it runs
 */
export function readBody(statement: Node, sql: string): unknown[] | undefined {
  const { language, text, tree } = readParts(statement);
  if (tree) return [tree];
  if (text === '') return [];
  if (language === 'sql') return parse(text);
  if (language !== 'plpgsql') return undefined;
  // The parser of PL/pgSQL knows no tables, and stops at a variable with the type of a row.
  return readPlPgSQL(sql) ?? (SUSPICIOUS.test(text) ? undefined : []);
}

interface Parts {
  readonly language: string;
  readonly text: string;
  /** A body that is SQL instead of a string. */
  readonly tree?: unknown;
}

function readParts(statement: Node): Parts {
  const parts = { language: 'plpgsql', text: '' };
  const made = 'CreateFunctionStmt' in statement ? statement.CreateFunctionStmt : undefined;
  if (made?.sql_body) return { ...parts, tree: made.sql_body };
  const options = 'DoStmt' in statement ? statement.DoStmt.args : made?.options;
  for (const option of options ?? []) {
    if (!('DefElem' in option)) continue;
    const { defname, arg } = option.DefElem;
    const value = arg && ('List' in arg ? arg.List.items?.[0] : arg);
    if (!value || !('String' in value)) continue;
    if (defname === 'as') parts.text = value.String.sval ?? '';
    if (defname === 'language') parts.language = (value.String.sval ?? '').toLowerCase();
  }
  return parts;
}

function readPlPgSQL(sql: string): unknown[] | undefined {
  try {
    return readExpressions(parsePlPgSQLSync(sql));
  } catch {
    return undefined;
  }
}

function readExpressions(block: unknown): unknown[] | undefined {
  const texts: string[] = [];
  const isDynamic = someNode(block, (kind, body) => {
    if (kind === 'PLpgSQL_expr') texts.push(String(body['query']));
    return kind.startsWith('PLpgSQL_stmt_dyn') || 'dynquery' in body;
  });
  if (isDynamic) return undefined;
  const trees = texts.map((text) => parse(text) ?? parse(`SELECT ${text}`) ?? parseAssignment(text));
  return trees.includes(undefined) ? undefined : trees.flat();
}

function parseAssignment(text: string): unknown[] | undefined {
  const [, value] = /^[^=]*?:?=(.*)$/s.exec(text) ?? [];
  return value === undefined ? undefined : parse(`SELECT ${value}`);
}

function parse(text: string): unknown[] | undefined {
  try {
    return parseSync(text).stmts ?? [];
  } catch {
    return undefined;
  }
}
