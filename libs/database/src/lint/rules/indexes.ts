import type { IndexStmt } from 'libpg-query';
import { alterRule, type Rule } from '../rule.js';
import { nameOf, someNode, stringsOf } from '../statement.js';

const WIDE_INDEX_COLUMNS = 3;

function columnsOf({ indexParams }: IndexStmt): string {
  return (indexParams ?? []).map((param) => ('IndexElem' in param ? (param.IndexElem.name ?? '(…)') : '')).join(', ');
}

function concurrently({ unique, idxname, relation, ...rest }: IndexStmt): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY IF NOT EXISTS ${idxname ?? '<name>'} ON ${nameOf(relation)} (${columnsOf(rest)})`;
}

export const indexRules: readonly Rule[] = [
  {
    name: 'create-index',
    find: ({ node, created }) => {
      if (!('IndexStmt' in node) || node.IndexStmt.concurrent || created.has(nameOf(node.IndexStmt.relation)))
        return undefined;
      return {
        problem: `building ${node.IndexStmt.idxname ?? 'an index'} locks ${nameOf(node.IndexStmt.relation)} against writes until it is done`,
        instead: `${concurrently(node.IndexStmt)} in a migration of its own with transaction: false`,
      };
    },
  },
  {
    name: 'concurrently-in-transaction',
    find: ({ node, migration }) => {
      const isConcurrent =
        ('IndexStmt' in node && node.IndexStmt.concurrent) ||
        ('DropStmt' in node && node.DropStmt.concurrent) ||
        ('ReindexStmt' in node && someNode(node.ReindexStmt.params, (_, body) => body?.['defname'] === 'concurrently'));
      return isConcurrent && migration.transactional
        ? {
            problem: 'CONCURRENTLY cannot run in a transaction (25001)',
            instead: `move it to a migration of its own with transaction: false`,
          }
        : undefined;
    },
  },
  {
    name: 'unrepeatable-index',
    find: ({ node, migration }) => {
      if (migration.transactional) return undefined;
      if ('IndexStmt' in node && !node.IndexStmt.if_not_exists)
        return {
          problem: `a run that is interrupted before it is recorded finds ${node.IndexStmt.idxname ?? 'the index'} there the next time and fails`,
          instead: concurrently(node.IndexStmt),
        };
      if ('DropStmt' in node && !node.DropStmt.missing_ok)
        return {
          problem: 'a run that is interrupted before it is recorded finds the index gone the next time and fails',
          instead: 'DROP INDEX CONCURRENTLY IF EXISTS …',
        };
      return undefined;
    },
  },
  {
    name: 'unnamed-index',
    find: ({ node }) =>
      'IndexStmt' in node && !node.IndexStmt.idxname
        ? {
            problem: `the index on ${nameOf(node.IndexStmt.relation)} has no name, so that no later migration can rely on one`,
            instead: `name it: CREATE INDEX ${node.IndexStmt.relation?.relname}_${columnsOf(node.IndexStmt).replace(/\W+/g, '_')}_idx ON …`,
          }
        : undefined,
  },
  {
    name: 'wide-index',
    find: ({ node }) =>
      'IndexStmt' in node && !node.IndexStmt.unique && (node.IndexStmt.indexParams?.length ?? 0) > WIDE_INDEX_COLUMNS
        ? {
            problem: `${node.IndexStmt.idxname ?? 'the index'} has ${node.IndexStmt.indexParams?.length} columns: dear to keep, and the last ones seldom help`,
            instead: `index the ${WIDE_INDEX_COLUMNS} that select most, the others with INCLUDE if a query reads nothing else`,
          }
        : undefined,
  },
  {
    name: 'drop-index',
    find: ({ node }) =>
      'DropStmt' in node && node.DropStmt.removeType === 'OBJECT_INDEX' && !node.DropStmt.concurrent
        ? (node.DropStmt.objects ?? []).map((object) => {
            const index = 'List' in object ? stringsOf(object.List.items).join('.') : '';
            return {
              problem: `dropping ${index} locks its table against everything until running queries end`,
              instead: `DROP INDEX CONCURRENTLY IF EXISTS ${index} in a migration of its own with transaction: false`,
            };
          })
        : undefined,
  },
  {
    name: 'reindex',
    find: ({ node }) =>
      'ReindexStmt' in node && !someNode(node.ReindexStmt.params, (_, body) => body?.['defname'] === 'concurrently')
        ? {
            problem: `REINDEX locks the table of ${nameOf(node.ReindexStmt.relation)} against writes until it is done`,
            instead: `REINDEX INDEX CONCURRENTLY ${nameOf(node.ReindexStmt.relation)} in a migration of its own with transaction: false`,
          }
        : undefined,
  },
  alterRule('detach-partition', 'AT_DetachPartition', ({ table, cmd }) => {
    const { name, concurrent } = cmd.def && 'PartitionCmd' in cmd.def ? cmd.def.PartitionCmd : {};
    return concurrent
      ? undefined
      : {
          problem: `detaching ${nameOf(name)} locks ${table} against everything`,
          instead: `by hand, for no migration can repeat it: ALTER TABLE ${table} DETACH PARTITION ${nameOf(name)} CONCURRENTLY`,
        };
  }),
  alterRule('attach-partition', 'AT_AttachPartition', ({ cmd }, { created }) => {
    const partition = cmd.def && 'PartitionCmd' in cmd.def ? nameOf(cmd.def.PartitionCmd.name) : '';
    return created.has(partition)
      ? undefined
      : {
          problem: `attaching ${partition} scans it under an ACCESS EXCLUSIVE lock unless a valid CHECK proves its bounds`,
          instead: `ALTER TABLE ${partition} ADD CONSTRAINT … CHECK (<the bounds>) NOT VALID, VALIDATE it in the next migration, attach in the one after, and say so: allow: { 'attach-partition': '<the constraint>' }`,
        };
  }),
];
