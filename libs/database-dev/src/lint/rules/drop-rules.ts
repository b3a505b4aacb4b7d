import type { ObjectType } from 'libpg-query';
import { nameOf, objectName, quoteIdentifier } from '../syntax/names.js';
import { dropDomainConstraint, dropDomainNotNull } from './domain-rules.js';
import { alterRule, eitherRule, type LintRule } from './lint-rule.js';
import { type ParsedStatement, someNode } from '../syntax/statement.js';

const isExpand = ({ migration }: ParsedStatement) => migration.phase === 'expand';

function dropped(statement: ParsedStatement, types: readonly ObjectType[]): string[] {
  const { node } = statement;
  if (!('DropStmt' in node) || !types.includes(node.DropStmt.removeType as ObjectType)) return [];
  return (node.DropStmt.objects ?? []).map(objectName);
}

const CODE_OBJECTS = new Map<ObjectType, string>([
  ['OBJECT_VIEW', 'VIEW'],
  ['OBJECT_MATVIEW', 'MATERIALIZED VIEW'],
  ['OBJECT_FUNCTION', 'FUNCTION'],
  ['OBJECT_PROCEDURE', 'PROCEDURE'],
  ['OBJECT_TYPE', 'TYPE'],
  ['OBJECT_DOMAIN', 'DOMAIN'],
  ['OBJECT_SEQUENCE', 'SEQUENCE'],
]);

/** Loss of objects that running code uses, or of data that cannot be restored. */
export const dropRules: readonly LintRule[] = [
  alterRule('drop-column', 'AT_DropColumn', ({ table, cmd }, statement) =>
    isExpand(statement)
      ? {
          problem: `dropping ${table}.${quoteIdentifier(cmd.name ?? '')} breaks the code that still runs, and its data is lost`,
          instead: `stop using ${quoteIdentifier(cmd.name ?? '')}, release that, and drop it later: phase: 'contract', completes: '<the expand that replaced it>'`,
        }
      : undefined,
  ),
  {
    name: 'drop-table',
    find: (statement) =>
      isExpand(statement)
        ? dropped(statement, ['OBJECT_TABLE']).map((table) => ({
            problem: `dropping ${table} breaks the code that still runs, and its data is lost`,
            instead: `stop using ${table}, release that, and drop it later: phase: 'contract', completes: '<the expand that replaced it>'`,
          }))
        : [],
  },
  {
    name: 'drop-code-object',
    find: (statement) =>
      isExpand(statement)
        ? [...CODE_OBJECTS].flatMap(([type, word]) =>
            dropped(statement, [type]).map((name) => ({
              problem: `dropping ${word.toLowerCase()} ${name} breaks the code that still calls it`,
              instead: `release code without it first, then DROP ${word} ${name} in a contract`,
            })),
          )
        : [],
  },
  {
    name: 'drop-schema',
    find: (statement) =>
      dropped(statement, ['OBJECT_SCHEMA']).map((schema) => ({
        problem: `dropping schema ${schema} loses everything in it`,
        instead: `drop unused objects by name, one table at a time, in contracts; an administrator drops the schema by hand`,
      })),
  },
  {
    name: 'drop-database',
    find: ({ node }) =>
      'DropdbStmt' in node
        ? {
            problem: `dropping database ${quoteIdentifier(node.DropdbStmt.dbname ?? '')} loses everything`,
            instead: `remove it; an administrator drops a database by hand, after a backup`,
          }
        : undefined,
  },
  {
    name: 'drop-owned',
    find: ({ node }) =>
      'DropOwnedStmt' in node
        ? {
            problem: 'DROP OWNED drops every object that the role owns at that time',
            instead: 'drop each object by name, in a contract',
          }
        : undefined,
  },
  {
    name: 'cascade',
    find: ({ node }) =>
      'TruncateStmt' in node || !someNode(node, (_, body) => body?.['behavior'] === 'DROP_CASCADE')
        ? undefined
        : {
            problem: 'CASCADE also drops every object that depends on it at that time',
            instead: 'drop the dependent objects by name, before it',
          },
  },
  {
    name: 'truncate',
    find: ({ node }) =>
      'TruncateStmt' in node
        ? (node.TruncateStmt.relations ?? []).flatMap((relation) =>
            'RangeVar' in relation
              ? [
                  {
                    problem: `truncating ${nameOf(relation.RangeVar)} loses its rows under an ACCESS EXCLUSIVE lock`,
                    instead: `delete its rows in a job, in batches of 1000 keys`,
                  },
                ]
              : [],
          )
        : undefined,
  },
  eitherRule(
    alterRule('drop-constraint', 'AT_DropConstraint', ({ table, cmd }) => ({
      problem: `without ${quoteIdentifier(cmd.name ?? '')}, ${table} accepts rows that the code may not expect`,
      instead: `keep ${quoteIdentifier(cmd.name ?? '')}; if it must be dropped, say why: allow: { 'drop-constraint': '<what checks it from now on>' }`,
    })),
    dropDomainConstraint,
  ),
  eitherRule(
    alterRule('drop-not-null', 'AT_DropNotNull', ({ table, cmd }) => ({
      problem: `${table}.${quoteIdentifier(cmd.name ?? '')} may be NULL from now on, and the running code reads it as a value`,
      instead: `release code that accepts NULL first, then state the release: allow: { 'drop-not-null': '<since which release>' }`,
    })),
    dropDomainNotNull,
  ),
  {
    name: 'weaken-row-security',
    find: (statement) => {
      const { node } = statement;
      const policies = dropped(statement, ['OBJECT_POLICY']).map((policy) => `dropping policy ${policy}`);
      const weakened =
        'AlterTableStmt' in node
          ? (node.AlterTableStmt.cmds ?? []).flatMap((cmd) =>
              'AlterTableCmd' in cmd &&
              /^AT_(DisableRowSecurity|NoForceRowSecurity)$/.test(cmd.AlterTableCmd.subtype ?? '')
                ? [`${cmd.AlterTableCmd.subtype?.slice(3)} on ${nameOf(node.AlterTableStmt.relation)}`]
                : [],
            )
          : [];
      return [...policies, ...weakened].map((what) => ({
        problem: `${what} may show one user's rows to another`,
        instead:
          'replace a policy in place: ALTER POLICY … USING (…); a table without row-level security needs a reason',
      }));
    },
  },
];
