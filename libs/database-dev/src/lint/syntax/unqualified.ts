import type { Node, ObjectType } from 'libpg-query';
import { nameOf, stringsOf } from './names.js';
import { someNode } from './statement.js';
import { eachRelation } from './targets.js';

/** Kinds of objects that belong to a schema. */
const IN_SCHEMA = new Set<ObjectType | undefined>(
  (
    'AGGREGATE COLLATION CONVERSION DOMAIN FOREIGN_TABLE FUNCTION INDEX MATVIEW OPERATOR PROCEDURE ROUTINE SEQUENCE ' +
    'STATISTIC_EXT TABLE TSCONFIGURATION TSDICTIONARY TSPARSER TSTEMPLATE TYPE VIEW'
  )
    .split(' ')
    .map((word) => `OBJECT_${word}` as ObjectType),
);

/** The field with the name, a list of parts, in each statement that creates or changes an object. */
const NAME_LISTS: Readonly<Record<string, string>> = {
  CreateFunctionStmt: 'funcname',
  CreateDomainStmt: 'domainname',
  CreateEnumStmt: 'typeName',
  CreateRangeStmt: 'typeName',
  DefineStmt: 'defnames',
  CreateOpClassStmt: 'opclassname',
  CreateOpFamilyStmt: 'opfamilyname',
  CreateConversionStmt: 'conversion_name',
  CreateStatsStmt: 'defnames',
  AlterEnumStmt: 'typeName',
  AlterDomainStmt: 'typeName',
  AlterStatsStmt: 'defnames',
  AlterTSConfigurationStmt: 'cfgname',
  AlterTSDictionaryStmt: 'dictname',
};

/** Names without a schema that a statement creates, changes, drops or reads. Those of pg_catalog need none. */
export function unqualifiedNames(node: Node): string[] {
  return [...new Set([...definedNames(node), ...objectNames(node), ...relationNames(node)])].filter(
    (name) => !name.startsWith('pg_'),
  );
}

function definedNames(node: Node): string[] {
  const [kind = '', body = {}] = Object.entries(node)[0] ?? [];
  const list = NAME_LISTS[kind];
  const parts = list === undefined ? [] : stringsOf((body as Record<string, Node[] | undefined>)[list]);
  return parts.length === 1 ? parts : [];
}

function objectNames(node: Node): string[] {
  const objects: (Node | undefined)[] = [];
  const add = (type: ObjectType | undefined, ...found: (Node | undefined)[]) => {
    if (IN_SCHEMA.has(type)) objects.push(...found);
  };
  if ('DropStmt' in node) add(node.DropStmt.removeType, ...(node.DropStmt.objects ?? []));
  if ('RenameStmt' in node) add(node.RenameStmt.renameType, node.RenameStmt.object);
  if ('AlterObjectSchemaStmt' in node) add(node.AlterObjectSchemaStmt.objectType, node.AlterObjectSchemaStmt.object);
  if ('AlterOwnerStmt' in node) add(node.AlterOwnerStmt.objectType, node.AlterOwnerStmt.object);
  if ('CommentStmt' in node) add(node.CommentStmt.objtype, node.CommentStmt.object);
  if ('AlterFunctionStmt' in node)
    add(node.AlterFunctionStmt.objtype, { ObjectWithArgs: node.AlterFunctionStmt.func ?? {} });
  if ('GrantStmt' in node && node.GrantStmt.targtype === 'ACL_TARGET_OBJECT')
    add(node.GrantStmt.objtype, ...(node.GrantStmt.objects ?? []).filter((object) => !('RangeVar' in object)));
  const [type, dropped] = 'DropStmt' in node ? [node.DropStmt.removeType, node.DropStmt.objects ?? []] : [];
  // The name of a trigger or policy follows the name of its table.
  const tables = /_(TRIGGER|POLICY|RULE)$/.test(type ?? '') ? (dropped ?? []).map(partsOf) : [];
  return [
    ...objects.map(partsOf).filter((parts) => parts.length === 1),
    ...tables.filter((parts) => parts.length === 2).map((parts) => parts.slice(0, 1)),
  ].flat();
}

/** Types and functions that the server did not find. They may be built in, so only the server's error is proof. */
export function unresolvedNames(node: Node, error: string): string[] {
  if (!/\((?:42704|42883)\)$/.test(error)) return [];
  const names = new Set<string>();
  const add = (list: unknown) => {
    const parts = stringsOf(list as Node[] | undefined);
    if (parts.length === 1) names.add(parts[0] ?? '');
  };
  someNode({ ...node }, (kind, body) => {
    for (const key of NAME_KEYS[kind] ?? []) add(body[key]);
    return false;
  });
  eachTypeName(node, add);
  return [...names].filter((name) => name !== '' && error.includes(name));
}

const NAME_KEYS: Readonly<Record<string, readonly string[]>> = {
  FuncCall: ['funcname'],
  CreateTrigStmt: ['funcname'],
  CollateClause: ['collname'],
  TypeName: ['names'],
  A_Expr: ['name'],
  IndexElem: ['opclass', 'collation'],
};

/** The type of a column is not in a separate node. */
function eachTypeName(value: unknown, visit: (names: unknown) => void): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'typeName' || key === 'returnType' || key === 'collClause') {
      const { names, collname } = inner as { names?: unknown; collname?: unknown };
      visit(names ?? collname);
    }
    eachTypeName(inner, visit);
  }
}

function partsOf(object: Node | undefined): string[] {
  if (object === undefined) return [];
  if ('List' in object) return stringsOf(object.List.items);
  if ('TypeName' in object) return stringsOf(object.TypeName.names);
  if ('ObjectWithArgs' in object) return stringsOf(object.ObjectWithArgs.objname);
  return stringsOf([object]);
}

/** Tables, views and sequences at any depth. A WITH defines names, and temporary objects have no schema. */
function relationNames(node: Node): string[] {
  // The names in a body that is a string are not resolved yet.
  if ('CreateFunctionStmt' in node)
    return node.CreateFunctionStmt.sql_body === undefined ? [] : relationNames(node.CreateFunctionStmt.sql_body);
  const own = new Set(['old', 'new', 'excluded']);
  someNode(node, (kind, body) => {
    if (kind === 'CommonTableExpr') own.add(String(body['ctename']));
    return false;
  });
  const names: string[] = [];
  eachRelation(node, (relation) => {
    if (relation.schemaname === undefined && relation.relpersistence !== 't' && nameOf(relation) !== '')
      names.push(relation.relname ?? '');
  });
  return names.filter((name) => !own.has(name));
}
