import type { Rule } from '../rule.js';
import { nameOf, stringsOf } from '../statement.js';

/** No release knows both names, so that old or new code breaks, whichever way round it is rolled out. */
export const renameRules: readonly Rule[] = [
  {
    name: 'rename-column',
    find: ({ node, created }) => {
      if (!('RenameStmt' in node) || node.RenameStmt.renameType !== 'OBJECT_COLUMN') return undefined;
      const { relation, subname, newname } = node.RenameStmt;
      const table = nameOf(relation);
      if (created.has(table)) return undefined;
      return {
        problem: `renaming ${table}.${subname} breaks either the old code or the new`,
        instead: `ALTER TABLE ${table} ADD COLUMN ${newname} …; write both, backfill, read ${newname}, and drop ${subname} in a contract`,
      };
    },
  },
  {
    name: 'rename-table',
    find: ({ node, created }) => {
      if (!('RenameStmt' in node) || node.RenameStmt.renameType !== 'OBJECT_TABLE') return undefined;
      const { relation, newname } = node.RenameStmt;
      const table = nameOf(relation);
      if (created.has(table)) return undefined;
      return {
        problem: `renaming ${table} breaks either the old code or the new`,
        instead: `give it a second name: CREATE VIEW ${relation?.schemaname ?? 'public'}.${newname} AS SELECT * FROM ${table}`,
      };
    },
  },
  {
    name: 'rename-schema',
    find: ({ node }) =>
      'RenameStmt' in node && node.RenameStmt.renameType === 'OBJECT_SCHEMA'
        ? {
            problem: `renaming schema ${node.RenameStmt.subname} breaks either the old code or the new`,
            instead: `CREATE SCHEMA ${node.RenameStmt.newname} and move what belongs there one table at a time`,
          }
        : undefined,
  },
  {
    name: 'set-schema',
    find: ({ node }) =>
      'AlterObjectSchemaStmt' in node
        ? {
            problem: `moving ${nameOf(node.AlterObjectSchemaStmt.relation)} to schema ${node.AlterObjectSchemaStmt.newschema} breaks either the old code or the new`,
            instead: `CREATE VIEW ${node.AlterObjectSchemaStmt.newschema}.${node.AlterObjectSchemaStmt.relation?.relname ?? '…'} over it, and move it in a contract`,
          }
        : undefined,
  },
  {
    name: 'rename-enum-value',
    find: ({ node }) => {
      if (!('AlterEnumStmt' in node) || !node.AlterEnumStmt.oldVal) return undefined;
      const { typeName, oldVal, newVal } = node.AlterEnumStmt;
      return {
        problem: `renaming value '${oldVal}' of ${stringsOf(typeName).join('.')} breaks either the old code or the new`,
        instead: `ALTER TYPE ${stringsOf(typeName).join('.')} ADD VALUE '${newVal}' AFTER '${oldVal}', then move the rows in a job`,
      };
    },
  },
];
