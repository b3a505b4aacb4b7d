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

/** Wherever in the statement they stand: a WITH may hold one, in front of a harmless SELECT. */
function changesOf({ node, created }: ParsedStatement): Change[] {
  const changes: Change[] = [];
  // To define what changes rows changes none.
  if ('CreateFunctionStmt' in node || 'RuleStmt' in node) return changes;
  someNode(node, (kind, body: ChangeBody) => {
    const [word, table] = [WORDS[kind], nameOf(body.relation)];
    // What a MERGE joins with bounds it.
    if (word && !created.has(table))
      changes.push({ word, table, isBounded: word === 'MERGE' || body.whereClause !== undefined });
    return false;
  });
  return changes;
}

/** What is made of the rows of other tables; without those it is a few values. */
function isCopy(select: Node | undefined): boolean {
  return select !== undefined && 'SelectStmt' in select && select.SelectStmt.fromClause !== undefined;
}

const BATCHES = 'do it in a job, in batches of 1000 keys, each in its own transaction';

/** A backfill is a job: in batches, each in a transaction of its own, able to stop and go on. */
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
          instead: `${BATCHES}; if it changes few rows, say how many: allow: { 'data-change': '<how many rows>' }`,
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
    problem: `copying rows into ${table} takes as long as there are rows, in one transaction`,
    instead: `copy them in a job, in batches of 1000 keys, with ON CONFLICT DO NOTHING`,
  };
}
