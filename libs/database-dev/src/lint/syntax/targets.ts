import type { Node, RangeVar } from 'libpg-query';
import { nameOf, quoteName, stringsOf } from './names.js';
import { type ParsedStatement, someNode } from './statement.js';

type Change = 'inserted' | 'updated' | 'deleted';

/** Statements that read and write rows. Naming a table in one does not announce a lock that blocks writes. */
const DATA_STATEMENTS = [
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'DoStmt',
  'CallStmt',
  'ExplainStmt',
];

const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  UpdateStmt: ['inserted', 'updated', 'deleted'], // a row that moves to another partition is deleted and inserted
  DeleteStmt: ['deleted'],
  MergeStmt: ['inserted', 'updated', 'deleted'],
  TruncateStmt: ['deleted'],
  CopyStmt: ['inserted'],
  RefreshMatViewStmt: ['inserted', 'updated', 'deleted'],
};

/** Tables named in the text of a schema change, so locks on them are visible in the text. */
export function namedTables({ node }: ParsedStatement): ReadonlySet<string> {
  const named = new Set<string>();
  if (DATA_STATEMENTS.some((kind) => kind in node)) return named;
  eachRelation(node, (relation) => named.add(nameOf(relation)));
  for (const parts of objectParts(node))
    // The name of a trigger or policy follows the name of its table.
    for (let length = 1; length <= parts.length; length += 1) named.add(quoteName(...parts.slice(0, length)));
  return named;
}

function objectParts(node: Node): string[][] {
  const objects =
    'DropStmt' in node ? (node.DropStmt.objects ?? []) : 'CommentStmt' in node ? [node.CommentStmt.object] : [];
  return objects.flatMap((object) => (object && 'List' in object ? [stringsOf(object.List.items)] : []));
}

/** Tables whose rows the text says that it changes, and how. */
export function dataTargets({ node }: ParsedStatement): ReadonlyMap<string, readonly Change[]> {
  const targets = new Map<string, readonly Change[]>();
  const add = (relation: RangeVar | undefined, changes: readonly Change[]) =>
    targets.set(nameOf(relation), [...(targets.get(nameOf(relation)) ?? []), ...changes]);
  // A definition of code that changes rows does not run it.
  if ('CreateFunctionStmt' in node || 'RuleStmt' in node) return targets;
  someNode(node, (kind, body: { relation?: RangeVar; onConflictClause?: object }) => {
    if (kind === 'InsertStmt') add(body.relation, body.onConflictClause ? ['inserted', 'updated'] : ['inserted']);
    else if (CHANGES[kind]) add(body.relation, CHANGES[kind]);
    return false;
  });
  return targets;
}

/** Every relation that the tree mentions, at any depth. */
export function eachRelation(value: unknown, visit: (relation: RangeVar) => void): void {
  if (Array.isArray(value)) for (const item of value) eachRelation(item, visit);
  else if (typeof value === 'object' && value !== null) {
    if ('relname' in value) visit(value as RangeVar);
    for (const inner of Object.values(value)) eachRelation(inner, visit);
  }
}
