import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadModule, type ScanToken, scanSync } from 'libpg-query';
import type { Migration } from '@airlock/database/model';
import { nameOf } from './syntax/names.js';
import type { LintFinding } from './rules/lint-rule.js';
import { isComment } from './syntax/source-text.js';
import type { ParsedStatement } from './syntax/statement.js';

/** Rules of ours that report the same with the real names; squawk's finding on that statement is then omitted. */
export const COVERED: Readonly<Record<string, readonly string[]>> = {
  'adding-field-with-default': ['volatile-default', 'add-stored-generated'],
  'adding-foreign-key-constraint': ['add-foreign-key', 'add-column-references', 'validate-with-add'],
  'adding-not-nullable-field': ['set-not-null', 'add-required-column'],
  'adding-required-field': ['add-required-column'],
  'adding-serial-primary-key-field': ['add-primary-key', 'add-identity'],
  'ban-alter-domain-with-add-constraint': ['constrained-domain'],
  'ban-char-field': ['varchar-column'],
  'ban-concurrent-index-creation-in-transaction': ['concurrently-in-transaction'],
  'ban-create-domain-with-constraint': ['constrained-domain'],
  'ban-drop-column': ['drop-column'],
  'ban-drop-database': ['drop-database'],
  'ban-drop-not-null': ['drop-not-null'],
  'ban-drop-table': ['drop-table'],
  'ban-truncate-cascade': ['truncate'],
  'changing-column-type': ['change-column-type'],
  'constraint-missing-not-valid': [
    'validate-with-add',
    'add-check',
    'add-foreign-key',
    'add-exclusion',
    'add-not-null-validating',
    'add-unique',
    'add-primary-key',
  ],
  'disallowed-unique-constraint': ['add-unique'],
  'identifier-too-long': ['long-identifier'],
  'prefer-identity': ['serial-column'],
  'prefer-text-field': ['varchar-column'],
  'prefer-timestamp-tz': ['timestamp-column'],
  'renaming-column': ['rename-column'],
  'renaming-table': ['rename-table'],
  'require-concurrent-index-creation': ['create-index'],
  'require-concurrent-index-deletion': ['drop-index'],
  'require-concurrent-partition-detach': ['detach-partition'],
  'require-concurrent-reindex': ['reindex'],
  'require-enum-value-ordering': ['enum-value-order'],
  'syntax-error': ['unreadable'],
};

/** Always omitted, each for its reason. */
const EXCLUDED = [
  'prefer-robust-stmts', // a migration runs in a transaction or is one repeatable statement
  'require-lock-timeout', // the runner sets both for every migration
  'require-statement-timeout',
  'prefer-bigint-over-int', // a counter may be an integer; a key may not: small-primary-key
  'prefer-bigint-over-smallint',
] as const;

const [NEWLINE, SPACE] = [10, 32];
const LARGEST_REPORT_BYTES = 256 * 1024 * 1024;
const SQUAWK = createRequire(import.meta.url).resolve('squawk-cli/js/bin/squawk');

interface SquawkFinding {
  readonly file: string;
  readonly line: number;
  readonly rule_name: string;
  readonly message: string;
  readonly help: string | null;
}

/** Findings of squawk about one migration, before our rules are applied. */
export type SquawkReport = ReadonlyMap<Migration, readonly LintFinding[]>;

/** Runs squawk on all migrations at once, in two runs: for statements in a transaction, and for those outside. */
export async function loadSquawkReport(migrations: readonly Migration[]): Promise<SquawkReport> {
  await loadModule();
  const byKind = [true, false].map((kind) => migrations.filter(({ transactional }) => transactional === kind));
  const reports = await Promise.all(byKind.filter(({ length }) => length > 0).map(askSquawk));
  return new Map(reports.flat());
}

/** Findings that our rules neither replace nor refute. */
export function selectSquawk(
  findings: readonly LintFinding[],
  statements: readonly ParsedStatement[],
  ours: readonly LintFinding[],
): LintFinding[] {
  return findings.filter(({ rule, statement: index }) => {
    const statement = statements[index ?? -1];
    return statement !== undefined && !isSaid(rule, statement, ours) && !isMistaken(rule, statement);
  });
}

function isSaid(rule: string, { index }: ParsedStatement, ours: readonly LintFinding[]): boolean {
  return ours.some((finding) => finding.statement === index && COVERED[rule]?.includes(finding.rule));
}

/** Findings that are harmless on PostgreSQL 18, or intended in their place. */
function isMistaken(rule: string, { sql, migration, created, node }: ParsedStatement): boolean {
  switch (rule) {
    case 'ban-drop-column':
    case 'ban-drop-table':
      return migration.phase === 'contract';
    case 'ban-create-domain-with-constraint':
      return 'CreateDomainStmt' in node; // our rule does not take a DEFAULT for a constraint
    case 'ban-char-field':
      return !/"sval":"(bpchar|char)"/.test(JSON.stringify(node)); // "character varying" is another type
    case 'adding-field-with-default':
      return !/\bSTORED\b/i.test(sql); // VIRTUAL writes nothing; our rules check volatile defaults
    case 'adding-required-field':
      return 'AlterTableStmt' in node; // our rule also knows the default of a domain
    case 'changing-column-type':
    case 'prefer-text-field':
      return 'AlterTableStmt' in node; // the trace shows whether the table was rewritten
    case 'constraint-missing-not-valid':
    case 'disallowed-unique-constraint':
      return /\bUSING\s+INDEX\b/i.test(sql);
    case 'require-concurrent-index-creation':
      return 'IndexStmt' in node && created.has(nameOf(node.IndexStmt.relation));
    case 'renaming-column':
    case 'renaming-table':
      return 'RenameStmt' in node && created.has(nameOf(node.RenameStmt.relation));
    default:
      return false;
  }
}

async function askSquawk(migrations: readonly Migration[]): Promise<[Migration, LintFinding[]][]> {
  const folder = await mkdtemp(join(tmpdir(), 'lint-'));
  const files = migrations.map((_, index) => join(folder, `${index}.sql`));
  const flags = ['--reporter', 'json', '--pg-version', '18', '--exclude', EXCLUDED.join(',')];
  if (migrations[0]?.transactional) flags.push('--assume-in-transaction');
  try {
    for (const [index, file] of files.entries()) await writeFile(file, joinStatements(migrations[index]));
    const { stdout } = await promisify(execFile)(process.execPath, [SQUAWK, ...flags, ...files], {
      maxBuffer: LARGEST_REPORT_BYTES,
    }).catch(toOutput);
    const findings = JSON.parse(stdout) as SquawkFinding[];
    return migrations.map((migration, index) => [
      migration,
      findings.filter(({ file }) => file === files[index]).map((finding) => toFinding(finding, migration)),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function joinStatements(migration: Migration | undefined): string {
  return (migration?.statements ?? []).map(({ sql }) => `${blankComments(sql)}\n;\n`).join('');
}

/** A comment could make squawk ignore a rule, but only our own exceptions count. Line numbers are kept. */
function blankComments(sql: string): string {
  const bytes = Buffer.from(sql);
  let comments: ScanToken[] = [];
  try {
    comments = scanSync(sql).tokens.filter(isComment);
  } catch {
    // A text without tokens is reported as unreadable.
  }
  for (const { start, end } of comments)
    for (let at = start; at < end; at += 1) if (bytes[at] !== NEWLINE) bytes[at] = SPACE;
  return bytes.toString();
}

/** Lines are counted from 0 through all statements of the file. */
function toFinding(
  { line, rule_name: rule, message, help }: SquawkFinding,
  { name, statements }: Migration,
): LintFinding {
  const ends = statements.map(({ sql }) => sql.split('\n').length + 1);
  let last = 0;
  const statement = ends.findIndex((length) => line < (last += length));
  return { migration: name, statement, rule, problem: message, instead: help ?? `https://squawkhq.com/docs/${rule}` };
}

/** squawk exits with 1 when it has findings; output without JSON is a failure. */
function toOutput(error: Error & { stdout?: string; stderr?: string }): { stdout: string } {
  if (error.stdout?.startsWith('[')) return { stdout: error.stdout };
  throw new Error(`squawk: ${error.stderr ?? error.message}`, { cause: error });
}
