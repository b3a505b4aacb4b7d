import type { Node } from 'libpg-query';
import { nameOf } from './names.js';
import type { ParsedStatement } from './statement.js';

/** Statements that define code for later; the definition does not run it. */
const DEFINITIONS = ['CreateFunctionStmt', 'AlterFunctionStmt', 'RuleStmt'];

/** The statement, and every statement that runs as a part of it: in CREATE SCHEMA, WITH, EXPLAIN or COPY. */
export function flatten(statement: ParsedStatement): ParsedStatement[] {
  const { node } = statement;
  if ('CreateSchemaStmt' in node) return flattenSchema(statement, node.CreateSchemaStmt);
  return [statement, ...nestedNodes(node).map((nested) => ({ ...statement, node: nested, isNested: true }))];
}

/** Objects in a CREATE SCHEMA belong to that schema, with or without its name in the text. */
function flattenSchema(
  statement: ParsedStatement,
  { schemaElts = [], ...schema }: { readonly schemaElts?: readonly Node[]; readonly schemaname?: string },
): ParsedStatement[] {
  const elements = schemaElts.map((element) => qualifyElement(element, schema.schemaname));
  const tables = elements.flatMap((node) => ('CreateStmt' in node ? [nameOf(node.CreateStmt.relation)] : []));
  const created = new Set([...statement.created, ...tables]);
  const outer = { ...statement, node: { CreateSchemaStmt: schema } };
  return [outer, ...elements.flatMap((node) => flatten({ ...statement, created, node }))];
}

function qualifyElement(element: Node, schemaname: string | undefined): Node {
  const [kind = '', body = {}] = Object.entries(element)[0] ?? [];
  const fields = Object.entries(body as Record<string, unknown>).map(([key, value]) => [
    key,
    isObject(value) && 'relname' in value && !('schemaname' in value) ? { ...value, schemaname } : value,
  ]);
  return { [kind]: Object.fromEntries(fields) as unknown } as unknown as Node;
}

function nestedNodes(value: unknown): Node[] {
  if (!isObject(value) || DEFINITIONS.some((kind) => kind in value)) return [];
  return Object.values(value).flatMap((inner) => [...(isStatement(inner) ? [inner] : []), ...nestedNodes(inner)]);
}

function isStatement(value: unknown): value is Node {
  return isObject(value) && Object.keys(value).some((key) => /^[A-Z]\w+Stmt$/.test(key));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
