import type { Rule } from '../rule.js';
import { nameOf, type ParsedStatement } from '../statement.js';

interface Change {
  readonly word: 'UPDATE' | 'DELETE';
  readonly table: string;
  readonly isBounded: boolean;
}

function changeOf({ node, created }: ParsedStatement): Change | undefined {
  const [word, body] =
    'UpdateStmt' in node
      ? (['UPDATE', node.UpdateStmt] as const)
      : 'DeleteStmt' in node
        ? (['DELETE', node.DeleteStmt] as const)
        : [];
  if (word === undefined || body === undefined || created.has(nameOf(body.relation))) return undefined;
  return { word, table: nameOf(body.relation), isBounded: body.whereClause !== undefined };
}

const BATCH = (table: string) => `… WHERE id IN (SELECT id FROM ${table} WHERE … ORDER BY id LIMIT 1000)`;

/** A backfill is a job: in batches, each in a transaction of its own, able to stop and go on. */
export const dataRules: readonly Rule[] = [
  {
    name: 'unbounded-change',
    find: (statement) => {
      const change = changeOf(statement);
      return !change || change.isBounded
        ? undefined
        : {
            problem: `${change.word} without WHERE locks every row of ${change.table} at once`,
            instead: `a job in batches: ${change.word === 'UPDATE' ? `UPDATE ${change.table} SET` : `DELETE FROM ${change.table}`} ${BATCH(change.table)}`,
          };
    },
  },
  {
    name: 'data-change',
    find: (statement) => {
      const change = changeOf(statement);
      return change?.isBounded
        ? {
            problem: `${change.word} of ${change.table} holds the locks of its rows until the migration ends`,
            instead: `a job in batches: ${BATCH(change.table)}; if it is a handful of rows, say how many: allow: { 'data-change': '<how many rows>' }`,
          }
        : undefined;
    },
  },
  {
    name: 'insert-select',
    find: ({ node, created }) => {
      if (!('InsertStmt' in node) || created.has(nameOf(node.InsertStmt.relation))) return undefined;
      const select = node.InsertStmt.selectStmt;
      return select && 'SelectStmt' in select && select.SelectStmt.fromClause
        ? {
            problem: `copying rows into ${nameOf(node.InsertStmt.relation)} takes as long as there are rows, in one transaction`,
            instead: `a job in batches: INSERT INTO ${nameOf(node.InsertStmt.relation)} SELECT … LIMIT 1000 ON CONFLICT DO NOTHING`,
          }
        : undefined;
    },
  },
  {
    name: 'refresh-view',
    find: ({ node }) =>
      'RefreshMatViewStmt' in node && !node.RefreshMatViewStmt.concurrent
        ? {
            problem: `refreshing ${nameOf(node.RefreshMatViewStmt.relation)} locks out its readers until it is done`,
            instead: `in a job: REFRESH MATERIALIZED VIEW CONCURRENTLY ${nameOf(node.RefreshMatViewStmt.relation)}`,
          }
        : undefined,
  },
];
