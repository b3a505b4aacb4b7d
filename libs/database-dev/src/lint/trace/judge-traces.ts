import { describeMode } from '@airlock/database/model';
import type { LintFinding } from '../rules/lint-rule.js';
import { quoteIdentifier } from '../syntax/names.js';
import type { ParsedStatement } from '../syntax/statement.js';
import { unresolvedNames } from '../syntax/unqualified.js';
import { judgeAccess } from './judge-access.js';
import { hiddenChanges } from './judge-changes.js';
import { judgeColumns } from './judge-columns.js';
import { judgeKeys } from './judge-keys.js';
import { hiddenLocks, judgeLocks } from './judge-locks.js';
import { judgeRewrites, judgeScans } from './judge-scans.js';
import { describeRows, type StatementTrace, type Traced } from './statement-trace.js';

/** Rules that need a server: actual locks and writes of the statements. */
export const TRACE_RULES = [
  'does-not-run',
  'rewrites-table',
  'scans-table',
  'hidden-lock',
  'hidden-change',
  'several-tables-locked',
  'work-under-lock',
  'unindexed-foreign-key',
  'ownerless-foreign-key',
  'ownerless-unique-key',
  'change-column-default',
] as const;

/** Errors whose cause a rule explains better than the server. */
const EXPLAINED: Readonly<Record<string, RegExp>> = {
  'concurrently-in-transaction': /\(25001\)$/,
  'enum-value-used': /\(55P04\)$/,
  'add-required-column': /\(23502\)$/,
  'unqualified-name': /\((?:42501|3F000|42P01|42704|42883)\)$/,
  unreadable: /\(42601\)$/,
};

/** Findings that the trace adds to those of the syntax, and findings that it withdraws. */
export function judgeTraces(
  statements: readonly ParsedStatement[],
  traces: readonly StatementTrace[],
  found: readonly LintFinding[],
): LintFinding[] {
  const kept = found.filter(({ rule, statement }) => !isHarmless(rule, traces[statement ?? -1]));
  const findings = [...kept];
  for (const [index, statement] of statements.entries()) {
    const trace = traces[index];
    if (trace === undefined) continue;
    const said = kept.filter((finding) => finding.statement === index).map(({ rule }) => rule);
    const heldTables = traces.slice(0, index + 1).flatMap(({ locks }) => locks);
    findings.push(...judgeColumns(statement, trace, kept), ...judgeOne(statement, { trace, said, heldTables }));
  }
  return [...findings, ...judgeLocks(statements, traces, kept)];
}

/** A longer varchar, or NOT NULL that a valid CHECK proves: the server neither wrote nor read the rows. */
function isHarmless(rule: string, trace: StatementTrace | undefined): boolean {
  return (
    /^(change-column-type|volatile-default|add-domain-column|set-not-null|add-not-null-validating|attach-partition)$/.test(
      rule,
    ) &&
    trace?.error === undefined &&
    trace?.rewritten.length === 0 &&
    trace.scanned.length === 0
  );
}

function judgeOne(statement: ParsedStatement, traced: Traced): LintFinding[] {
  const at = { migration: statement.migration.name, statement: statement.index };
  const create = (rule: string, problem: string, instead: string): LintFinding => ({ ...at, rule, problem, instead });
  const { trace, said } = traced;
  const unresolved = trace.error === undefined ? [] : unresolvedNames(statement.node, trace.error);
  const named = unresolved.map((name) =>
    create('unqualified-name', `${quoteIdentifier(name)} has no schema`, `public.${quoteIdentifier(name)}`),
  );
  const failure =
    trace.error === undefined || isExplained(statement, trace.error, [...said, ...named.map(({ rule }) => rule)])
      ? []
      : [create('does-not-run', trace.error, 'a statement that runs on the schema of the migrations before it')];
  return [
    ...named,
    ...failure,
    ...judgeRewrites(statement, traced).map((tables) =>
      create(
        'rewrites-table',
        `rewrites ${tables.join(', ')} under the locks that it takes`,
        'add a new column or table beside it, and fill that in a job',
      ),
    ),
    ...judgeScans(statement, traced).map((tables) =>
      create(
        'scans-table',
        `reads every row of ${tables.join(', ')} under a lock that blocks writes`,
        'AlterDomainStmt' in statement.node
          ? 'add the constraint to the column of each table NOT VALID, and validate it in the next migration'
          : 'add the constraint NOT VALID, and validate it in the next migration',
      ),
    ),
    ...hiddenLocks(statement, traced).map(([mode, tables]) =>
      create(
        'hidden-lock',
        `takes the ${describeMode(mode)} lock on ${tables.join(', ')}, which the text does not show`,
        `keep it out of this migration, or say why it may be locked: allow: { 'hidden-lock': '<why>' }`,
      ),
    ),
    ...hiddenChanges(statement, trace).map((written) =>
      create(
        'hidden-change',
        `${describeRows(written)}, which the text does not show`,
        'write the change itself; if it is about many rows, make it a job',
      ),
    ),
    ...[...judgeAccess(statement, trace), ...judgeKeys(trace.exposed)].map(({ rule, problem, instead }) =>
      create(rule, problem, instead),
    ),
    ...(said.some((rule) => /^session-/.test(rule)) ? [] : trace.settings).map((setting) =>
      create('session-setting', `changes ${setting}, which the runner sets for every migration`, 'remove it'),
    ),
  ];
}

/** A finding that an exception allows does not explain another one. */
function isExplained({ allow }: ParsedStatement, error: string, said: readonly string[]): boolean {
  return said.some(
    (rule) => EXPLAINED[rule]?.test(error) && (RULES_WITHOUT_EXCEPTIONS.has(rule) || allow[rule] === undefined),
  );
}

/** Rules without exceptions: they are about the exceptions, or the migration cannot run at all. */
export const RULES_WITHOUT_EXCEPTIONS = new Set([
  'does-not-run',
  'concurrently-in-transaction',
  'enum-value-used',
  'unreadable',
]);
