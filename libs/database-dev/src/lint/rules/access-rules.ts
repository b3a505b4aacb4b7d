import type { GrantStmt } from 'libpg-query';
import { nameOf, objectName, quoteIdentifier } from '../syntax/names.js';
import type { LintRule } from './lint-rule.js';

/** Rights that the code of the previous release still uses. */
export const accessRules: readonly LintRule[] = [
  {
    name: 'revoke',
    find: ({ node, migration, created }) => {
      if (!('GrantStmt' in node) || node.GrantStmt.is_grant || migration.phase !== 'expand') return [];
      const objects = grantedObjects(node.GrantStmt).filter((name) => !created.has(name));
      return objects.map((name) => ({
        problem: `the running code may still use the rights that this revokes on ${name}`,
        instead:
          "revoke it in a contract, once no running release needs it: phase: 'contract', completes: '<the expand that replaced it>'",
      }));
    },
  },
  {
    name: 'narrow-row-security',
    find: ({ node, migration, created }) => {
      if (!('CreatePolicyStmt' in node) || node.CreatePolicyStmt.permissive || migration.phase !== 'expand')
        return undefined;
      const { policy_name: name = '', table } = node.CreatePolicyStmt;
      return created.has(nameOf(table))
        ? undefined
        : {
            problem: `restrictive policy ${quoteIdentifier(name)} hides rows of ${nameOf(table)} that the running code reads and writes`,
            instead:
              "create it in a contract, once every running release satisfies it: phase: 'contract', completes: '<the expand that replaced it>'",
          };
    },
  },
];

function grantedObjects({ targtype, objects = [] }: GrantStmt): string[] {
  const names = objects.map((object) => ('RangeVar' in object ? nameOf(object.RangeVar) : objectName(object)));
  return targtype === 'ACL_TARGET_ALL_IN_SCHEMA' ? names.map((name) => `everything in schema ${name}`) : names;
}
