import type { LintFinding } from '../rules/lint-rule.js';
import { judgeAccess } from './judge-access.js';
import { describeMode, describeRows, type StatementTrace, type WrittenTable } from './statement-trace.js';
import { nameOf, quoteIdentifier } from '../syntax/names.js';
import { flatten } from '../syntax/nested.js';
import type { ParsedStatement } from '../syntax/statement.js';
import { dataTargets, namedTables } from '../syntax/targets.js';
import { unresolvedNames } from '../syntax/unqualified.js';

const EXCLUSIVE = 'AccessExclusiveLock';
const BLOCKS_WRITES = new Set([EXCLUSIVE, 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock']);

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
  'change-column-default',
] as const;

/** Rules of the syntax that already report the effect of a trace. All other findings are reported in addition to it. */
const REWRITE_RULES = [
  'change-column-type',
  'volatile-default',
  'add-stored-generated',
  'add-identity',
  'set-tablespace',
  'set-logged',
  'set-unlogged',
  'vacuum-full',
  'cluster',
  'truncate',
  'reindex',
  'refresh-view',
];
const SCAN_RULES = [
  ...REWRITE_RULES,
  'rewrites-table',
  'set-not-null',
  'add-not-null-validating',
  'add-check',
  'attach-partition',
  'validate-with-add',
];

/** Rules about a lock on a table that the statement never names. */
const LOCK_RULES = ['drop-index', 'reindex', 'drop-owned', 'drop-schema', 'cluster', 'vacuum-full'];

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
    findings.push(...judgeOne(statement, { trace, said, heldTables }));
  }
  return [...findings, ...judgeLocks(statements, traces, kept)];
}

/** A longer varchar, or NOT NULL that a valid CHECK proves: the server neither wrote nor read the rows. */
function isHarmless(rule: string, trace: StatementTrace | undefined): boolean {
  return (
    /^(change-column-type|volatile-default|set-not-null|add-not-null-validating|attach-partition)$/.test(rule) &&
    trace?.error === undefined &&
    trace?.rewritten.length === 0 &&
    trace.scanned.length === 0
  );
}

interface Traced {
  readonly trace: StatementTrace;
  /** Rules that the syntax of the statement breaks. */
  readonly said: readonly string[];
  /** Locks of this statement and of those before it. */
  readonly heldTables: StatementTrace['locks'];
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
        'add the constraint NOT VALID, and validate it in the next migration',
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
    ...judgeAccess(statement, trace).map(({ rule, problem, instead }) => create(rule, problem, instead)),
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

/** Outside a transaction the new index is written beside the old one, which stays in use. */
function judgeRewrites({ migration }: ParsedStatement, { trace, said }: Traced): (readonly string[])[] {
  const isSaid = said.some((rule) => REWRITE_RULES.includes(rule));
  return isSaid || !migration.transactional || trace.rewritten.length === 0 ? [] : [trace.rewritten];
}

function judgeScans(statement: ParsedStatement, { trace, said, heldTables }: Traced): (readonly string[])[] {
  if (trace.rewritten.length > 0 || said.some((rule) => SCAN_RULES.includes(rule))) return [];
  const blocked = trace.scanned.filter((table) =>
    heldTables.some((lock) => lock.table === table && BLOCKS_WRITES.has(lock.mode)),
  );
  return blocked.length === 0 || !statement.migration.transactional ? [] : [blocked];
}

/** DML takes no such lock. A schema change takes it on the tables that it names, their partitions and children. */
function hiddenLocks(statement: ParsedStatement, { trace, said }: Traced): [mode: string, tables: string[]][] {
  if (said.some((rule) => LOCK_RULES.includes(rule))) return [];
  const named = namedTables(statement);
  const hidden = trace.locks.filter(
    ({ table, mode }) =>
      BLOCKS_WRITES.has(mode) && ![table, ...(trace.ancestors[table] ?? [])].some((name) => named.has(name)),
  );
  return [...Map.groupBy(hidden, ({ mode }) => mode)].map(([mode, locks]) => [mode, locks.map(({ table }) => table)]);
}

function hiddenChanges(statement: ParsedStatement, { written, ancestors }: StatementTrace): WrittenTable[] {
  const targets = dataTargets(statement);
  return written.flatMap((rows) => {
    const shown = [rows.table, ...(ancestors[rows.table] ?? [])].flatMap((name) => targets.get(name) ?? []);
    const hidden = {
      table: rows.table,
      inserted: shown.includes('inserted') ? 0 : rows.inserted,
      updated: shown.includes('updated') ? 0 : rows.updated,
      deleted: shown.includes('deleted') ? 0 : rows.deleted,
    };
    return hidden.inserted + hidden.updated + hidden.deleted > 0 ? [hidden] : [];
  });
}

function judgeLocks(
  statements: readonly ParsedStatement[],
  traces: readonly StatementTrace[],
  found: readonly LintFinding[],
): LintFinding[] {
  const locked: string[] = [];
  const findings: LintFinding[] = [];
  for (const [index, statement] of statements.entries()) {
    if (!statement.migration.transactional) return [];
    const at = { migration: statement.migration.name, statement: index };
    const isSaid = found.some((finding) => finding.statement === index && finding.rule === 'validate-with-add');
    if (locked.length > 0 && !isSaid && flatten(statement).some((part) => takesTime(part, traces[index])))
      findings.push({
        ...at,
        rule: 'work-under-lock',
        problem: `works while the ACCESS EXCLUSIVE lock on ${locked.join(', ')} blocks every other session`,
        instead: 'move it to the next migration, which takes no such lock',
      });
    const fresh = exclusivelyLocked(traces[index]).filter((table) => !locked.includes(table));
    const atOnce = locked.length === 0 ? lockedAtOnce(statement, traces[index], found) : [];
    if (atOnce.length > 1 || (locked.length > 0 && fresh.length > 0))
      findings.push({
        ...at,
        rule: 'several-tables-locked',
        problem:
          atOnce.length > 1
            ? `locks ${atOnce.join(', ')} at once: readers of each wait, and may deadlock`
            : `locks ${fresh.join(', ')} while ${locked.join(', ')} is locked: readers of both wait, and may deadlock`,
        instead: 'one migration for each table',
      });
    locked.push(...fresh);
  }
  return findings;
}

function exclusivelyLocked(trace: StatementTrace | undefined): string[] {
  return (trace?.locks ?? []).filter(({ mode }) => mode === EXCLUSIVE).map(({ table }) => table);
}

/** Excludes locks that hidden-lock reports; a partition is locked with its table. */
function lockedAtOnce(
  statement: ParsedStatement,
  trace: StatementTrace | undefined,
  found: readonly LintFinding[],
): string[] {
  if (trace === undefined) return [];
  const said = found.filter((finding) => finding.statement === statement.index).map(({ rule }) => rule);
  const hidden = hiddenLocks(statement, { trace, said, heldTables: [] }).flatMap(([, tables]) => tables);
  const tables = new Set(exclusivelyLocked(trace).filter((table) => !hidden.includes(table)));
  return [...tables].filter((table) => !trace.ancestors[table]?.some((ancestor) => tables.has(ancestor)));
}

/** The duration depends on the number of rows. */
function takesTime(statement: ParsedStatement, trace: StatementTrace | undefined): boolean {
  const { node, created } = statement;
  if ((trace?.scanned.length ?? 0) > 0 && 'AlterTableStmt' in node)
    return (
      node.AlterTableStmt.cmds?.some(
        (cmd) => 'AlterTableCmd' in cmd && cmd.AlterTableCmd.subtype === 'AT_ValidateConstraint',
      ) ?? false
    );
  if (trace !== undefined && hiddenChanges(statement, trace).length > 0) return true;
  const isCopy = (select: typeof node | undefined) =>
    select !== undefined && 'SelectStmt' in select && select.SelectStmt.fromClause !== undefined;
  if ('InsertStmt' in node) return isCopy(node.InsertStmt.selectStmt);
  if ('CreateTableAsStmt' in node) return isCopy(node.CreateTableAsStmt.query);
  if ('IndexStmt' in node) return !created.has(nameOf(node.IndexStmt.relation));
  if ('AlterTableStmt' in node)
    return (node.AlterTableStmt.cmds ?? []).some(
      (cmd) => 'AlterTableCmd' in cmd && cmd.AlterTableCmd.subtype === 'AT_ValidateConstraint',
    );
  return ['UpdateStmt', 'DeleteStmt', 'MergeStmt', 'RefreshMatViewStmt'].some((kind) => kind in node);
}
