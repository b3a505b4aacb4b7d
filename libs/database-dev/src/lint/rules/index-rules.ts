import type { IndexStmt, ReindexStmt } from 'libpg-query';
import { inventName, nameOf, objectName, quoteIdentifier } from '../syntax/names.js';
import { alterRule, OWN_MIGRATION, type LintRule, steps } from './lint-rule.js';
import { isComment, joinTokens, tokensOf } from '../syntax/source-text.js';
import { type ParsedStatement, someNode } from '../syntax/statement.js';

const WIDE_INDEX_COLUMNS = 3;

function indexName({ idxname, relation, indexParams }: IndexStmt): string {
  const columns = (indexParams ?? []).map((param) => ('IndexElem' in param ? (param.IndexElem.name ?? 'expr') : ''));
  return idxname === undefined ? inventName([relation?.relname, ...columns], 'idx') : quoteIdentifier(idxname);
}

/** The same index with every option of the source text, built without a lock against writes. */
function concurrently(index: IndexStmt, { sql }: ParsedStatement): string {
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY IF NOT EXISTS ${indexName(index)} ${fromOn(index, sql)}`;
}

/** CREATE SCHEMA may contain other parts before and after it. */
function fromOn({ relation }: IndexStmt, sql: string): string {
  const tokens = tokensOf(sql).filter((token) => !isComment(token) && token.text !== ';');
  const start = tokens.findLastIndex(({ text, start: at }) => /^on$/i.test(text) && at < (relation?.location ?? 0));
  const length = tokens.slice(start).findIndex(({ text, depth }) => depth === 0 && /^(create|grant)$/i.test(text));
  return joinTokens(sql, tokens.slice(start, length < 0 ? undefined : start + length));
}

const DROP_CONCURRENTLY = (index: string) => `DROP INDEX CONCURRENTLY IF EXISTS ${index}`;

export const indexRules: readonly LintRule[] = [
  {
    name: 'create-index',
    find: (statement) => {
      const { node, created } = statement;
      if (!('IndexStmt' in node) || node.IndexStmt.concurrent || created.has(nameOf(node.IndexStmt.relation)))
        return undefined;
      const { idxname, relation } = node.IndexStmt;
      return {
        problem: `building ${idxname ? quoteIdentifier(idxname) : 'an index'} locks ${nameOf(relation)} against writes until it is done`,
        instead: steps(OWN_MIGRATION, concurrently(node.IndexStmt, statement)),
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
            instead: `move it to its own migration, with transaction: false`,
          }
        : undefined;
    },
  },
  {
    name: 'unrepeatable-index',
    find: (statement) => {
      const { node, migration } = statement;
      if (migration.transactional) return undefined;
      if ('IndexStmt' in node && !node.IndexStmt.if_not_exists)
        return {
          problem: `a run that is interrupted before it is recorded finds ${indexName(node.IndexStmt)} there the next time and fails`,
          instead: steps(OWN_MIGRATION, concurrently(node.IndexStmt, statement)),
        };
      if ('DropStmt' in node && !node.DropStmt.missing_ok)
        return {
          problem: 'a run that is interrupted before it is recorded does not find the index the next time and fails',
          instead: steps(OWN_MIGRATION, ...(node.DropStmt.objects ?? []).map(objectName).map(DROP_CONCURRENTLY)),
        };
      return undefined;
    },
  },
  {
    name: 'unnamed-index',
    find: ({ node, sql }) => {
      if (!('IndexStmt' in node) || node.IndexStmt.idxname) return undefined;
      const { concurrent, unique } = node.IndexStmt;
      const kind = `${unique ? 'UNIQUE ' : ''}INDEX ${concurrent ? 'CONCURRENTLY IF NOT EXISTS ' : ''}`;
      return {
        problem: `the index on ${nameOf(node.IndexStmt.relation)} has no name, so later migrations cannot refer to it`,
        instead: steps(`CREATE ${kind}${indexName(node.IndexStmt)} ${fromOn(node.IndexStmt, sql)}`),
      };
    },
  },
  {
    name: 'wide-index',
    find: ({ node }) =>
      'IndexStmt' in node && !node.IndexStmt.unique && (node.IndexStmt.indexParams?.length ?? 0) > WIDE_INDEX_COLUMNS
        ? {
            problem: `${indexName(node.IndexStmt)} has ${node.IndexStmt.indexParams?.length} columns: it costs every write, and the last columns seldom help`,
            instead: `index the ${WIDE_INDEX_COLUMNS} that select most, the others with INCLUDE if a query reads nothing else`,
          }
        : undefined,
  },
  {
    name: 'drop-index',
    find: ({ node }) =>
      'DropStmt' in node && node.DropStmt.removeType === 'OBJECT_INDEX' && !node.DropStmt.concurrent
        ? (node.DropStmt.objects ?? []).map((object) => {
            const index = objectName(object);
            return {
              problem: `dropping ${index} locks its table against everything until running queries end`,
              instead: steps(OWN_MIGRATION, DROP_CONCURRENTLY(index)),
            };
          })
        : undefined,
  },
  {
    name: 'reindex',
    find: ({ node }) =>
      'ReindexStmt' in node && !someNode(node.ReindexStmt.params, (_, body) => body?.['defname'] === 'concurrently')
        ? {
            problem: `REINDEX locks the table of ${reindexed(node.ReindexStmt)} against writes until it is done`,
            instead:
              node.ReindexStmt.kind === 'REINDEX_OBJECT_INDEX'
                ? steps(OWN_MIGRATION, `REINDEX INDEX CONCURRENTLY ${reindexed(node.ReindexStmt)}`)
                : 'REINDEX INDEX CONCURRENTLY for each index, each in its own migration with transaction: false',
          }
        : undefined,
  },
  alterRule('detach-partition', 'AT_DetachPartition', ({ table, cmd }) => {
    const { name, concurrent } = cmd.def && 'PartitionCmd' in cmd.def ? cmd.def.PartitionCmd : {};
    return concurrent
      ? undefined
      : {
          problem: `detaching ${nameOf(name)} locks ${table} against everything`,
          instead: `an administrator runs this by hand, because it cannot be repeated:\n${steps(`ALTER TABLE ${table} DETACH PARTITION ${nameOf(name)} CONCURRENTLY`)}`,
        };
  }),
  alterRule('attach-partition', 'AT_AttachPartition', ({ cmd }, { created }) => {
    const partition = cmd.def && 'PartitionCmd' in cmd.def ? nameOf(cmd.def.PartitionCmd.name) : '';
    return created.has(partition)
      ? undefined
      : {
          problem: `attaching ${partition} scans it under an ACCESS EXCLUSIVE lock unless a valid CHECK proves its bounds`,
          instead: `add a CHECK with the bounds to ${partition}, NOT VALID; validate it in the next migration, and attach in the one after`,
        };
  }),
];

function reindexed({ relation, name }: ReindexStmt): string {
  return relation === undefined ? quoteIdentifier(name ?? '') : nameOf(relation);
}
