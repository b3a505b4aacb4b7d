import { BLOCKS_WRITES, EXCLUSIVE } from '@airlock/database/model';
import type { Node } from 'libpg-query';
import type { LintFinding } from '../rules/lint-rule.js';
import { nameOf } from '../syntax/names.js';
import { flatten } from '../syntax/nested.js';
import type { ParsedStatement } from '../syntax/statement.js';
import { namedTables } from '../syntax/targets.js';
import { hiddenChanges } from './judge-changes.js';
import { scannedTables } from './judge-scans.js';
import type { StatementTrace, Traced } from './statement-trace.js';

/** Rules about a lock on a table that the statement never names. */
const LOCK_RULES = ['drop-index', 'reindex', 'drop-owned', 'drop-schema', 'cluster', 'vacuum-full'];

/** DML takes no such lock. A schema change takes it on the tables that it names, their partitions and children. */
export function hiddenLocks(statement: ParsedStatement, { trace, said }: Traced): [mode: string, tables: string[]][] {
  // ALTER DOMAIN locks the tables that it scans, and scans-table reports them.
  if ('AlterDomainStmt' in statement.node || said.some((rule) => LOCK_RULES.includes(rule))) return [];
  const named = namedTables(statement);
  const hidden = trace.locks.filter(
    ({ table, mode }) =>
      BLOCKS_WRITES.has(mode) && ![table, ...(trace.ancestors[table] ?? [])].some((name) => named.has(name)),
  );
  return [...Map.groupBy(hidden, ({ mode }) => mode)].map(([mode, locks]) => [mode, locks.map(({ table }) => table)]);
}

export function judgeLocks(
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
  if ('AlterDomainStmt' in node) return trace !== undefined && scannedTables(statement, trace).length > 0;
  if ((trace?.scanned.length ?? 0) > 0 && 'AlterTableStmt' in node)
    return (
      node.AlterTableStmt.cmds?.some(
        (cmd) => 'AlterTableCmd' in cmd && cmd.AlterTableCmd.subtype === 'AT_ValidateConstraint',
      ) ?? false
    );
  if (trace !== undefined && hiddenChanges(statement, trace).length > 0) return true;
  const isCopy = (select: Node | undefined) =>
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
