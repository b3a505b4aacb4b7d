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

/** The statements in a body that can be read, and those that it executes from a literal. Others may be missing. */
export function readKnownStatements(statement: Node, sql: string): unknown[] {
  const { language, text, tree } = readParts(statement);
  if (tree) return [tree];
  if (language === 'sql') return parse(text) ?? [];
  if (language !== 'plpgsql') return [];
  try {
    const { texts, executed } = listTexts(parsePlPgSQLSync(sql));
    return [...texts.flatMap((each) => readExpression(each) ?? []), ...executed.flatMap(readLiterals)];
  } catch {
    return [];
  }
}

/** The statements in the string constants of an expression. */
function readLiterals(expression: string): unknown[] {
  const trees: unknown[] = [];
  someNode(readExpression(expression), (kind, body) => {
    if (kind === 'A_Const') trees.push(...(parse((body['sval'] as { sval?: string } | undefined)?.sval ?? '') ?? []));
    return false;
  });
  return trees;
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
  const { texts, executed } = listTexts(block);
  if (executed.length > 0) return undefined;
  const trees = texts.map(readExpression);
  return trees.includes(undefined) ? undefined : trees.flat();
}

/** The expressions and statements of a block. The result of each one in `executed` is run as a statement. */
function listTexts(block: unknown): { texts: string[]; executed: string[] } {
  const [texts, executed]: [string[], string[]] = [[], []];
  someNode(block, (kind, body) => {
    if (kind === 'PLpgSQL_expr') texts.push(String(body['query']));
    const dynamic = kind.startsWith('PLpgSQL_stmt_dyn') ? body['query'] : body['dynquery'];
    if (dynamic) executed.push((dynamic as { PLpgSQL_expr: { query: string } }).PLpgSQL_expr.query);
    return false;
  });
  return { texts, executed };
}

function readExpression(text: string): unknown[] | undefined {
  return parse(text) ?? parse(`SELECT ${text}`) ?? parseAssignment(text);
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
