import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadModule } from 'libpg-query';
import { assertNoTransactionControl, type Migration, type Phase, type Statement } from '../migrate/migration.js';
import { parseSql } from './statement.js';

/**
 * A migration that is still plain SQL. Comment lines at its top say `-- phase: contract`, `-- completes: <name>` or
 * `-- transaction: false`; one before a statement says `-- allow <rule>: <reason>`.
 */
export async function loadSqlFile(path: string): Promise<Migration> {
  await loadModule();
  const text = readFileSync(path, 'utf8');
  const header = (key: string) => new RegExp(`^-- ${key}: (.+)$`, 'm').exec(text)?.[1]?.trim();
  const statements = splitStatements(text, path);
  for (const statement of statements) assertNoTransactionControl(path, statement);
  return {
    name: basename(path, '.sql'),
    phase: (header('phase') ?? 'expand') as Phase,
    completes: header('completes'),
    transactional: header('transaction') !== 'false',
    statements,
    sha256: '',
  };
}

/** The comments before a statement are its own. */
function splitStatements(text: string, path: string): Statement[] {
  const bytes = Buffer.from(text);
  let end = 0;
  return (parseSql(text, path).stmts ?? []).map(({ stmt_location: at = 0, stmt_len: length }) => {
    const start = end;
    end = length === undefined ? bytes.length : at + length;
    const raw = bytes.subarray(start, end).toString();
    const allow = [...raw.matchAll(/^-- allow ([\w-]+): (.*)$/gm)].map(([, rule = '', reason = '']) => [rule, reason]);
    const sql = raw
      .replace(/^;/, '')
      .replace(/^--.*$/gm, '')
      .trim();
    return { sql, allow: Object.fromEntries(allow) as Record<string, string> };
  });
}
