import type { Node, RangeVar } from 'libpg-query';
import { nameOf } from '../syntax/names.js';
import type { LintProblem, LintRule } from './lint-rule.js';
import { type ParsedStatement, someNode } from '../syntax/statement.js';

interface Change {
  readonly word: 'UPDATE' | 'DELETE' | 'MERGE';
  readonly table: string;
  readonly isBounded: boolean;
}

interface ChangeBody {
  readonly relation?: RangeVar;
  readonly whereClause?: Node;
}

const WORDS: Readonly<Record<string, Change['word']>> = {
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
  MergeStmt: 'MERGE',
};

/** At any depth of the statement: a WITH may contain one, in front of a harmless SELECT. */
function changesOf({ node, created }: ParsedStatement): Change[] {
  const changes: Change[] = [];
  // A definition of code that changes rows does not run it.
  if ('CreateFunctionStmt' in node || 'RuleStmt' in node) return changes;
  someNode(node, (kind, body: ChangeBody) => {
    const [word, table] = [WORDS[kind], nameOf(body.relation)];
    // The source of a MERGE limits its rows.
    if (word && !created.has(table))
      changes.push({ word, table, isBounded: word === 'MERGE' || body.whereClause !== undefined });
    return false;
  });
  return changes;
}

/** Copies of the rows of other tables; an INSERT without a source table has only a few values. */
function isCopy(select: Node | undefined): boolean {
  return select !== undefined && 'SelectStmt' in select && select.SelectStmt.fromClause !== undefined;
}

const BATCHES = 'do it in a job, in batches of 1000 keys, each in its own transaction';

/** A backfill is a job: it works in batches with a transaction each, and can stop and continue. */
export const dataRules: readonly LintRule[] = [
  {
    name: 'unbounded-change',
    find: (statement) =>
      changesOf(statement)
        .filter(({ isBounded }) => !isBounded)
        .map(({ word, table }) => ({
          problem: `${word} without WHERE locks every row of ${table} at once`,
          instead: BATCHES,
        })),
  },
  {
    name: 'data-change',
    find: (statement) =>
      changesOf(statement)
        .filter(({ isBounded }) => isBounded)
        .map(({ word, table }) => ({
          problem: `${word} of ${table} holds the locks of its rows until the migration ends`,
          instead: `${BATCHES}; if it changes few rows, state the number: allow: { 'data-change': '<how many rows>' }`,
        })),
  },
  {
    name: 'insert-select',
    find: ({ node, created }) => {
      if ('CreateTableAsStmt' in node && node.CreateTableAsStmt.objtype === 'OBJECT_TABLE')
        return isCopy(node.CreateTableAsStmt.query)
          ? describeCopy(nameOf(node.CreateTableAsStmt.into?.rel))
          : undefined;
      if (!('InsertStmt' in node) || created.has(nameOf(node.InsertStmt.relation))) return undefined;
      return isCopy(node.InsertStmt.selectStmt) ? describeCopy(nameOf(node.InsertStmt.relation)) : undefined;
    },
  },
  {
    name: 'refresh-view',
    find: ({ node }) =>
      'RefreshMatViewStmt' in node && !node.RefreshMatViewStmt.concurrent
        ? {
            problem: `refreshing ${nameOf(node.RefreshMatViewStmt.relation)} blocks its readers until it is done`,
            instead: `refresh it in a job, with CONCURRENTLY; that needs a unique index on the view`,
          }
        : undefined,
  },
];

function describeCopy(table: string): LintProblem {
  return {
    problem: `copying rows into ${table} in one transaction takes longer with every row`,
    instead: `copy them in a job, in batches of 1000 keys, with ON CONFLICT DO NOTHING`,
  };
}
