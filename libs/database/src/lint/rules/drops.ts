import type { ObjectType } from 'libpg-query';
import { alterRule, type Rule } from '../rule.js';
import { nameOf, type ParsedStatement, someNode, stringsOf } from '../statement.js';

const isExpand = ({ migration }: ParsedStatement) => migration.phase === 'expand';

function dropped(statement: ParsedStatement, types: readonly ObjectType[]): string[] {
  const { node } = statement;
  if (!('DropStmt' in node) || !types.includes(node.DropStmt.removeType as ObjectType)) return [];
  return (node.DropStmt.objects ?? []).map((object) =>
    'List' in object
      ? stringsOf(object.List.items).join('.')
      : 'TypeName' in object
        ? stringsOf(object.TypeName.names).join('.')
        : 'ObjectWithArgs' in object
          ? stringsOf(object.ObjectWithArgs.objname).join('.')
          : stringsOf([object]).join('.'),
  );
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

/** Losing what running code uses, or what nobody can bring back. */
export const dropRules: readonly Rule[] = [
  alterRule('drop-column', 'AT_DropColumn', ({ table, cmd }, statement) =>
    isExpand(statement)
      ? {
          problem: `dropping ${table}.${cmd.name} breaks the code that still runs, and its data is gone`,
          instead: `stop using ${cmd.name}, release that, and drop it later: phase: 'contract', completes: '<the expand that replaced it>'`,
        }
      : undefined,
  ),
  {
    name: 'drop-table',
    find: (statement) =>
      isExpand(statement)
        ? dropped(statement, ['OBJECT_TABLE']).map((table) => ({
            problem: `dropping ${table} breaks the code that still runs, and its data is gone`,
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
        instead: `drop what nobody uses by name, table by table, in contracts; a schema goes by hand`,
      })),
  },
  {
    name: 'drop-database',
    find: ({ node }) =>
      'DropdbStmt' in node
        ? {
            problem: `dropping database ${node.DropdbStmt.dbname} loses everything`,
            instead: `no migration drops a database; an administrator does, by hand, after a backup`,
          }
        : undefined,
  },
  {
    name: 'drop-owned',
    find: ({ node }) =>
      'DropOwnedStmt' in node
        ? {
            problem: 'DROP OWNED drops whatever a role happens to own',
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
            problem: 'CASCADE also drops what depends on it, whatever that is on the day',
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
                    instead: `delete in batches, in a job: DELETE FROM ${nameOf(relation.RangeVar)} WHERE id IN (SELECT id FROM ${nameOf(relation.RangeVar)} WHERE … LIMIT 1000)`,
                  },
                ]
              : [],
          )
        : undefined,
  },
  alterRule('drop-constraint', 'AT_DropConstraint', ({ table, cmd }) => ({
    problem: `dropping ${cmd.name} lets in rows of ${table} that the code may not expect`,
    instead: `keep ${cmd.name}; if it must go, say why: allow: { 'drop-constraint': '<who checks it from now on>' }`,
  })),
  alterRule('drop-not-null', 'AT_DropNotNull', ({ table, cmd }) => ({
    problem: `${table}.${cmd.name} may be NULL from now on, and code that still runs reads it as a value`,
    instead: `release code that bears NULL first, then say so: allow: { 'drop-not-null': '<since which release>' }`,
  })),
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
