import type { ObjectType } from 'libpg-query';
import { nameOf, objectName, qualify, quoteIdentifier, quoteLiteral, quoteName } from '../syntax/names.js';
import { type LintRule, steps } from './lint-rule.js';

/** Includes constraints: ON CONFLICT and error handlers use their names. */
const CODE_OBJECTS = new Map<ObjectType | undefined, string>([
  ['OBJECT_VIEW', 'view'],
  ['OBJECT_MATVIEW', 'materialized view'],
  ['OBJECT_FOREIGN_TABLE', 'foreign table'],
  ['OBJECT_FUNCTION', 'function'],
  ['OBJECT_PROCEDURE', 'procedure'],
  ['OBJECT_ROUTINE', 'routine'],
  ['OBJECT_AGGREGATE', 'aggregate'],
  ['OBJECT_TYPE', 'type'],
  ['OBJECT_DOMAIN', 'domain'],
  ['OBJECT_SEQUENCE', 'sequence'],
  ['OBJECT_ATTRIBUTE', 'attribute'],
  ['OBJECT_TABCONSTRAINT', 'constraint'],
  ['OBJECT_DOMCONSTRAINT', 'constraint'],
  ['OBJECT_COLLATION', 'collation'],
]);

/** No release knows both names, so either the old or the new code breaks during a rollout. */
export const renameRules: readonly LintRule[] = [
  {
    name: 'rename-column',
    find: ({ node, created }) => {
      if (!('RenameStmt' in node) || node.RenameStmt.renameType !== 'OBJECT_COLUMN') return undefined;
      const { relation } = node.RenameStmt;
      const [from, to] = [node.RenameStmt.subname, node.RenameStmt.newname].map((name) => quoteIdentifier(name ?? ''));
      const table = nameOf(relation);
      if (created.has(table)) return undefined;
      return {
        problem: `renaming ${table}.${from} breaks either the old code or the new`,
        instead: `add column ${to} with the type of ${from}; write both, backfill, read ${to}, and drop ${from} in a contract`,
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
        instead: `give it a second name:\n${steps(`CREATE VIEW ${quoteName(relation?.schemaname ?? 'public', newname)} AS SELECT * FROM ${table}`)}`,
      };
    },
  },
  {
    name: 'rename-code-object',
    find: ({ node, created }) => {
      const word = 'RenameStmt' in node ? CODE_OBJECTS.get(node.RenameStmt.renameType) : undefined;
      if (!('RenameStmt' in node) || word === undefined) return undefined;
      const { relation, object, subname, newname = '' } = node.RenameStmt;
      const owner = relation === undefined ? objectName(object) : nameOf(relation);
      if (created.has(owner)) return undefined;
      const name = subname === undefined ? owner : `${owner}.${quoteIdentifier(subname)}`;
      return {
        problem: `renaming ${word} ${name} breaks either the old code or the new`,
        instead: `add a second ${word} ${quoteIdentifier(newname)}, release code that uses it, and drop ${name} in a contract`,
      };
    },
  },
  {
    name: 'rename-schema',
    find: ({ node, created }) =>
      'RenameStmt' in node &&
      node.RenameStmt.renameType === 'OBJECT_SCHEMA' &&
      !created.has(quoteIdentifier(node.RenameStmt.subname ?? ''))
        ? {
            problem: `renaming schema ${quoteIdentifier(node.RenameStmt.subname ?? '')} breaks either the old code or the new`,
            instead: `create the new schema, and move its tables one at a time:\n${steps(`CREATE SCHEMA ${quoteIdentifier(node.RenameStmt.newname ?? '')}`)}`,
          }
        : undefined,
  },
  {
    name: 'set-schema',
    find: ({ node }) => {
      if (!('AlterObjectSchemaStmt' in node) || node.AlterObjectSchemaStmt.objectType === 'OBJECT_EXTENSION')
        return undefined;
      const { relation, object, objectType, newschema = '' } = node.AlterObjectSchemaStmt;
      const name = relation === undefined ? objectName(object) : nameOf(relation);
      const view = quoteName(newschema, relation?.relname);
      return {
        problem: `moving ${name} to schema ${quoteIdentifier(newschema)} breaks either the old code or the new`,
        instead:
          objectType === 'OBJECT_TABLE' || objectType === 'OBJECT_VIEW'
            ? `give it a second name, and move it in a contract:\n${steps(`CREATE VIEW ${view} AS SELECT * FROM ${name}`)}`
            : `create it again in schema ${quoteIdentifier(newschema)}, and drop ${name} in a contract`,
      };
    },
  },
  {
    name: 'rename-enum-value',
    find: ({ node }) => {
      if (!('AlterEnumStmt' in node) || !node.AlterEnumStmt.oldVal) return undefined;
      const { typeName, oldVal, newVal = '' } = node.AlterEnumStmt;
      const type = qualify(typeName);
      const [from, to] = [quoteLiteral(oldVal), quoteLiteral(newVal)];
      return {
        problem: `renaming value ${from} of ${type} breaks either the old code or the new`,
        instead: `add the new value, then move the rows in a job:\n${steps(`ALTER TYPE ${type} ADD VALUE ${to} AFTER ${from}`)}`,
      };
    },
  },
];
