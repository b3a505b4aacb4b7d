import type { Node } from 'libpg-query';
import { stringsOf } from './names.js';
import { someNode } from './statement.js';

/** Session settings that a statement sets or resets at any depth: by SET, RESET, DISCARD or set_config(). */
export function settingsOf(node: Node): string[] {
  if ('DiscardStmt' in node) return ['the session'];
  if ('VariableSetStmt' in node) return [node.VariableSetStmt.name ?? 'every setting'];
  // A definition does not call its functions.
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
