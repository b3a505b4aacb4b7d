import type { CreateExtensionStmt } from 'libpg-query';
import { objectName, quoteIdentifier } from '../syntax/names.js';
import { type LintRule, steps } from './lint-rule.js';

function hasOption({ options }: CreateExtensionStmt, name: string): boolean {
  return (options ?? []).some((option) => 'DefElem' in option && option.DefElem.defname === name);
}

/**
 * Extensions differ between servers: an administrator may already have created one, in another schema and as its owner.
 */
export const extensionRules: readonly LintRule[] = [
  {
    name: 'extension-schema',
    find: ({ node }) => {
      if (!('CreateExtensionStmt' in node) || hasOption(node.CreateExtensionStmt, 'schema')) return undefined;
      const name = quoteIdentifier(node.CreateExtensionStmt.extname ?? '');
      return {
        problem: `extension ${name} names no schema: it is created in pg_catalog, and an existing one may be in any other`,
        instead: steps(`CREATE EXTENSION IF NOT EXISTS ${name} SCHEMA public`),
      };
    },
  },
  {
    name: 'extension-cascade',
    find: ({ node }) =>
      'CreateExtensionStmt' in node && hasOption(node.CreateExtensionStmt, 'cascade')
        ? {
            problem: `CASCADE also creates every extension that ${quoteIdentifier(node.CreateExtensionStmt.extname ?? '')} requires, and the text does not name them`,
            instead: 'create each required extension by name, with its schema, before it',
          }
        : undefined,
  },
  {
    name: 'extension-change',
    find: ({ node }) => {
      const [what, name] =
        'AlterObjectSchemaStmt' in node && node.AlterObjectSchemaStmt.objectType === 'OBJECT_EXTENSION'
          ? ['moving', objectName(node.AlterObjectSchemaStmt.object)]
          : 'AlterExtensionStmt' in node
            ? ['updating', quoteIdentifier(node.AlterExtensionStmt.extname ?? '')]
            : 'AlterExtensionContentsStmt' in node
              ? ['changing', quoteIdentifier(node.AlterExtensionContentsStmt.extname ?? '')]
              : 'CommentStmt' in node && node.CommentStmt.objtype === 'OBJECT_EXTENSION'
                ? ['commenting on', objectName(node.CommentStmt.object)]
                : [];
      return name === undefined
        ? undefined
        : {
            problem: `${what} extension ${name} fails where an administrator created it: only its owner may`,
            instead: 'an administrator does it by hand, in every environment',
          };
    },
  },
];
