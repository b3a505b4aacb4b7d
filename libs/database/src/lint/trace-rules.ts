import type { Finding } from './rule.js';
import type { ParsedStatement } from './statement.js';
import type { StatementTrace } from './lock-trace.js';

const EXCLUSIVE = 'AccessExclusiveLock';

/** The rules that need a server: what the statements really locked and wrote. */
export const TRACE_RULES = [
  'does-not-run',
  'rewrites-table',
  'several-tables-locked',
  'work-under-lock',
  'unindexed-foreign-key',
] as const;

/** What the trace adds to what the syntax already says, and what of that it takes back. */
export function judgeTraces(
  statements: readonly ParsedStatement[],
  traces: readonly StatementTrace[],
  found: readonly Finding[],
): Finding[] {
  const isFlagged = (index: number) => found.some(({ statement }) => statement === index);
  const kept = found.filter(({ rule, statement }) => !isHarmlessChange(rule, traces[statement]));
  return [
    ...kept,
    ...statements.flatMap((statement, index) => judgeOne(statement, traces[index], isFlagged(index))),
    ...judgeLocks(statements, traces, isFlagged),
  ];
}

/** A longer varchar, say: the type is another one, and nothing was written anew. */
function isHarmlessChange(rule: string, trace: StatementTrace | undefined): boolean {
  return (
    /^(change-column-type|volatile-default)$/.test(rule) && trace?.error === undefined && trace?.rewritten.length === 0
  );
}

function judgeOne(statement: ParsedStatement, trace: StatementTrace | undefined, isFlagged: boolean): Finding[] {
  if (trace === undefined || isFlagged || 'TruncateStmt' in statement.node) return [];
  const at = { migration: statement.migration.name, statement: statement.index };
  if (trace.error !== undefined)
    return [
      {
        ...at,
        rule: 'does-not-run',
        problem: trace.error,
        instead: 'a statement that runs on the schema of the migrations before it',
      },
    ];
  // Outside a transaction it is written beside the old one, while that is used.
  if (trace.rewritten.length === 0 || !statement.migration.transactional) return [];
  return [
    {
      ...at,
      rule: 'rewrites-table',
      problem: `writes ${trace.rewritten.join(', ')} anew, under the locks that it takes`,
      instead: 'a new column or table beside it, filled in a job',
    },
  ];
}

function judgeLocks(
  statements: readonly ParsedStatement[],
  traces: readonly StatementTrace[],
  isFlagged: (index: number) => boolean,
): Finding[] {
  const locked: string[] = [];
  const findings: Finding[] = [];
  for (const [index, statement] of statements.entries()) {
    if (!statement.migration.transactional) return [];
    const at = { migration: statement.migration.name, statement: index };
    if (locked.length > 0 && takesTime(statement) && !isFlagged(index))
      findings.push({
        ...at,
        rule: 'work-under-lock',
        problem: `works while the ACCESS EXCLUSIVE lock on ${locked.join(', ')} keeps everybody out`,
        instead: 'move it to the next migration, which takes no such lock',
      });
    const fresh = exclusivelyLocked(traces[index]).filter((table) => !locked.includes(table));
    if (locked.length > 0 && fresh.length > 0)
      findings.push({
        ...at,
        rule: 'several-tables-locked',
        problem: `locks ${fresh.join(', ')} while ${locked.join(', ')} is locked: readers of both wait, and may deadlock`,
        instead: 'one migration for each table',
      });
    locked.push(...fresh);
  }
  return findings;
}

function exclusivelyLocked(trace: StatementTrace | undefined): string[] {
  return (trace?.locks ?? []).filter(({ mode }) => mode === EXCLUSIVE).map(({ table }) => table);
}

/** Takes as long as there are rows. */
function takesTime({ node, created }: ParsedStatement): boolean {
  const isMade = (name: string) => created.has(name);
  if ('InsertStmt' in node) {
    const select = node.InsertStmt.selectStmt;
    return select !== undefined && 'SelectStmt' in select && select.SelectStmt.fromClause !== undefined;
  }
  if ('IndexStmt' in node)
    return !isMade(`${node.IndexStmt.relation?.schemaname ?? ''}.${node.IndexStmt.relation?.relname ?? ''}`);
  if ('AlterTableStmt' in node)
    return (node.AlterTableStmt.cmds ?? []).some(
      (cmd) => 'AlterTableCmd' in cmd && cmd.AlterTableCmd.subtype === 'AT_ValidateConstraint',
    );
  return 'UpdateStmt' in node || 'DeleteStmt' in node;
}
