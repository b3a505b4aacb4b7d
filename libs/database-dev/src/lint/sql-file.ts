import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { loadModule } from 'libpg-query';
import {
  assertNoTransactionControl,
  MigrationError,
  type Migration,
  type MigrationPhase,
  type MigrationStatement,
} from '@airlock/database/model';
import type { LintFinding } from './rules/lint-rule.js';
import { isComment, type Token, tokensOf } from './syntax/source-text.js';
import { parseSql } from './syntax/statement.js';

export interface SqlFile {
  readonly migration: Migration;
  /** Comments that look like exceptions but are not, with the reason. */
  readonly findings: readonly LintFinding[];
}

const LARGEST_FILE_BYTES = 1024 * 1024;

/**
 * A migration that is still plain SQL. Comment lines at its top say `-- phase: contract`, `-- completes: <name>` or
 * `-- transaction: false`; one directly before a statement says `-- allow <rule>: <reason>`.
 * @throws MigrationError if the file cannot be read, or not as SQL
 */
export async function loadSqlFile(path: string): Promise<SqlFile> {
  await loadModule();
  const name = fileName(path);
  const text = loadText(path);
  const { statements, strays } = splitStatements(text);
  if (statements.length === 0) throw new MigrationError('no statement; expected at least one');
  for (const statement of statements) assertNoTransactionControl(name, statement);
  return {
    migration: { name, ...parseHeader(text), backfills: [], isBaseline: false, statements, sha256: '' },
    findings: strays.map(({ statement, problem }) => ({
      migration: name,
      statement,
      rule: 'misplaced-exception',
      problem,
      instead: 'one comment line for each rule, directly before the statement: -- allow <rule>: <reason>',
    })),
  };
}

export function fileName(path: string): string {
  return basename(path, '.sql');
}

function loadText(path: string): string {
  const stat = statSync(path);
  // Reading a pipe or a device may never end.
  if (!stat.isFile()) throw new MigrationError(`${path} is not a file; expected an SQL file`);
  if (stat.size > LARGEST_FILE_BYTES)
    throw new MigrationError(
      `the file has ${stat.size} bytes; expected at most ${LARGEST_FILE_BYTES}: rows are loaded by a job`,
    );
  const bytes = readFileSync(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n');
  } catch (cause) {
    throw new MigrationError(`invalid UTF-8, in line ${badLine(bytes)}; expected a file in UTF-8`, { cause });
  }
}

/** The first line that changes when it is decoded and encoded again. */
function badLine(bytes: Buffer): number {
  const valid = Buffer.from(bytes.toString());
  const at = bytes.findIndex((byte, index) => byte !== valid[index]);
  return bytes.subarray(0, at).toString('latin1').split('\n').length;
}

type Header = Pick<Migration, 'phase' | 'completes' | 'transactional'>;

/** Only the comment lines before the first statement: a string may contain the same text. */
function parseHeader(text: string): Header {
  const lines = leadingComments(tokensOf(text)).map((token) => token.text);
  const read = (key: string) =>
    lines.flatMap((line) => new RegExp(`^-- ${key}: (.+)$`).exec(line)?.[1]?.trim() ?? []).at(-1);
  const [phase = 'expand', transaction = 'true'] = [read('phase'), read('transaction')];
  if (!/^(expand|contract)$/.test(phase))
    throw new MigrationError(`the phase is ${JSON.stringify(phase)}; expected expand or contract`);
  if (!/^(true|false)$/.test(transaction))
    throw new MigrationError(`transaction is ${JSON.stringify(transaction)}; expected true or false`);
  return { phase: phase as MigrationPhase, completes: read('completes'), transactional: transaction === 'true' };
}

function leadingComments(tokens: readonly Token[]): Token[] {
  const end = tokens.findIndex((token) => !isComment(token));
  return tokens.slice(0, end < 0 ? tokens.length : end);
}

interface Stray {
  readonly statement: number;
  readonly problem: string;
}

function splitStatements(text: string): { statements: MigrationStatement[]; strays: Stray[] } {
  const { stmts = [] } = parseSql(text);
  const bytes = Buffer.from(text);
  const tokens = tokensOf(text);
  const strays: Stray[] = [];
  let end = 0;
  const statements = stmts.map(({ stmt_location: at = 0, stmt_len: length }, index) => {
    const start = end;
    end = length === undefined ? bytes.length : at + length;
    const own = tokens.filter((token) => token.start >= start && token.start < end && token.text !== ';');
    const before = leadingComments(own);
    const inside = own.slice(before.length).filter(isComment);
    // A comment that follows a statement on its line belongs to that statement.
    const isBehind = (token: Token) => index > 0 && !bytes.subarray(start, token.start).includes('\n');
    const behind = before.filter(isBehind);
    strays.push(
      ...strayAllows(inside, { statement: index, where: 'inside the statement' }),
      ...strayAllows(behind, { statement: index - 1, where: 'behind the statement' }),
    );
    const { allow, problems } = parseAllows(before.filter((token) => !isBehind(token)));
    strays.push(...problems.map((problem) => ({ statement: index, problem })));
    const first = own[before.length]?.start ?? start;
    return { sql: bytes.subarray(first, end).toString().trim(), allow };
  });
  const after = tokens.filter((token) => token.start >= end && isComment(token));
  strays.push(...strayAllows(after, { statement: statements.length - 1, where: 'behind the last statement' }));
  return { statements, strays };
}

const ALLOW = /^-- allow ([\w-]+): (.*)$/;
/**
 * Includes other spellings, so that a typo is reported. Prose that begins with the word has no colon after the next
 * word.
 */
const LIKE_ALLOW = /^(?:--|\/\*)\s*allow\s*:?\s*['"]?[\w-]+['"]?\s*(?::|=|$)|^(?:--|\/\*)\s*allow\s*:/i;

function strayAllows(comments: readonly Token[], { statement, where }: { statement: number; where: string }): Stray[] {
  return comments
    .filter(({ text }) => LIKE_ALLOW.test(text))
    .map(({ text }) => ({ statement, problem: `"${text.trim()}" stands ${where} and allows nothing` }));
}

function parseAllows(comments: readonly Token[]): { allow: Record<string, string>; problems: string[] } {
  const allow: Record<string, string> = {};
  const problems: string[] = [];
  for (const text of comments.map((comment) => comment.text.trim())) {
    const [, rule, reason = ''] = ALLOW.exec(text) ?? [];
    if (rule === undefined) {
      if (LIKE_ALLOW.test(text)) problems.push(`"${text}" is not in the form of an exception and allows nothing`);
    } else if (Object.hasOwn(allow, rule)) problems.push(`${rule} is allowed twice`);
    else allow[rule] = reason;
  }
  return { allow, problems };
}
