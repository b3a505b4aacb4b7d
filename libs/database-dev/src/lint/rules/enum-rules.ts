import { qualify, quoteLiteral, stringsOf } from '../syntax/names.js';
import { someNode } from '../syntax/statement.js';
import type { LintRule } from './lint-rule.js';

/** The values of an enum can be added and renamed, and never removed. */
export const enumRules: readonly LintRule[] = [
  {
    name: 'create-enum',
    find: ({ node }) =>
      'CreateEnumStmt' in node
        ? {
            problem: `no value can ever be removed from enum ${qualify(node.CreateEnumStmt.typeName)}`,
            instead: `a text column with CHECK (… IN (${stringsOf(node.CreateEnumStmt.vals).map(quoteLiteral).join(', ')})), or a table of values`,
          }
        : undefined,
  },
  {
    name: 'enum-value-order',
    find: ({ node }) => {
      if (!('AlterEnumStmt' in node) || node.AlterEnumStmt.oldVal || node.AlterEnumStmt.newValNeighbor)
        return undefined;
      const [value, type] = [quoteLiteral(node.AlterEnumStmt.newVal ?? ''), qualify(node.AlterEnumStmt.typeName)];
      return {
        problem: `the place of ${value} in the order of ${type} is not stated`,
        instead: `ALTER TYPE ${type} ADD VALUE ${value} AFTER '<its neighbour>'`,
      };
    },
  },
  {
    name: 'enum-value-used',
    find: ({ earlier, node }) => {
      const added = earlier.flatMap((other) =>
        'AlterEnumStmt' in other && !other.AlterEnumStmt.oldVal ? [other.AlterEnumStmt.newVal ?? ''] : [],
      );
      return added
        .filter((value) => someNode(node, (_, body) => hasString(body, value)))
        .map((value) => ({
          problem: `${quoteLiteral(value)} cannot be used in the transaction that adds it (55P04)`,
          instead: `move this statement to the next migration`,
        }));
    },
  },
];

function hasString(body: Record<string, unknown>, value: string): boolean {
  return (body['sval'] as { readonly sval?: string } | undefined)?.sval === value;
}
