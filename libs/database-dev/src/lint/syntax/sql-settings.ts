import type { Node } from 'libpg-query';
import { stringsOf } from './names.js';
import { someNode } from './statement.js';

/** Settings of the session that a statement sets or resets: by SET, RESET, DISCARD or set_config(), wherever it stands. */
export function settingsOf(node: Node): string[] {
  if ('DiscardStmt' in node) return ['the session'];
  if ('VariableSetStmt' in node) return [node.VariableSetStmt.name ?? 'every setting'];
  // A definition calls nothing yet.
  if ('CreateFunctionStmt' in node || 'CreatePolicyStmt' in node || 'AlterPolicyStmt' in node || 'ViewStmt' in node)
    return [];
  const names: string[] = [];
  someNode(node, (kind, body) => {
    if (kind === 'FuncCall' && stringsOf(body['funcname'] as Node[]).at(-1) === 'set_config')
      names.push(constantOf((body['args'] as Node[] | undefined)?.[0]) ?? 'a setting');
    return false;
  });
  return names;
}

function constantOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if ('TypeCast' in node) return constantOf(node.TypeCast.arg);
  return 'A_Const' in node ? node.A_Const.sval?.sval?.toLowerCase() : undefined;
}
