import type { A_Expr, Node } from 'libpg-query';
import { quoteName, stringsOf } from './names.js';
import { parseSql, someNode } from './statement.js';
import { USER_SETTING } from './user-setting.js';

/**
 * The ways in which a policy permits a row, each as the columns that it compares with the user. Of
 * `owner_id = <user> OR (team_id = <user> AND is_open)` these are `[['owner_id'], ['team_id']]`.
 */
export type OwnerColumns = readonly (readonly string[])[];

/** @param userFunctions qualified names of the functions that read the user */
export function ownerColumns(expression: string, userFunctions: readonly string[]): OwnerColumns {
  const node = parseExpression(expression);
  return node === undefined ? [[]] : waysOf(node, (value) => readsUser(value, userFunctions));
}

/** Every snapshot has the same policies, and parsing takes longer than reading them. */
const parsed = new Map<string, Node | undefined>();

function parseExpression(expression: string): Node | undefined {
  if (!parsed.has(expression)) {
    const [{ stmt } = {}] = parseSql(`SELECT ${expression}`).stmts ?? [];
    const [target] = stmt && 'SelectStmt' in stmt ? (stmt.SelectStmt.targetList ?? []) : [];
    parsed.set(expression, target && 'ResTarget' in target ? target.ResTarget.val : undefined);
  }
  return parsed.get(expression);
}

/** Every way has to satisfy each of the expressions. */
export function combineWays(all: readonly OwnerColumns[]): OwnerColumns {
  return all.reduce<OwnerColumns>((ways, next) => ways.flatMap((way) => next.map((other) => [...way, ...other])), [[]]);
}

function waysOf(node: Node, isUser: (value: Node | undefined) => boolean): OwnerColumns {
  if ('BoolExpr' in node) {
    const { boolop, args = [] } = node.BoolExpr;
    const ways = args.map((arg) => waysOf(arg, isUser));
    return boolop === 'OR_EXPR' ? ways.flat() : boolop === 'AND_EXPR' ? combineWays(ways) : [[]];
  }
  // x IN (SELECT …)
  if ('SubLink' in node) {
    const { subLinkType, operName, subselect, testexpr } = node.SubLink;
    const isIn = subLinkType === 'ANY_SUBLINK' && (operName === undefined || stringsOf(operName).at(-1) === '=');
    return [isIn && isUser(subselect) ? columnOf(testexpr) : []];
  }
  if (!('A_Expr' in node) || !isEquality(node.A_Expr)) return [[]];
  const { lexpr, rexpr } = node.A_Expr;
  return [isUser(rexpr) ? columnOf(lexpr) : isUser(lexpr) ? columnOf(rexpr) : []];
}

function isEquality({ kind, name }: A_Expr): boolean {
  return /^AEXPR_OP(_ANY)?$/.test(kind ?? '') && stringsOf(name).at(-1) === '=';
}

function readsUser(value: Node | undefined, userFunctions: readonly string[]): boolean {
  return someNode(value, (kind, body) =>
    kind === 'FuncCall'
      ? userFunctions.includes(quoteName(...stringsOf(body['funcname'] as Node[])))
      : kind === 'A_Const' && (body['sval'] as { sval?: string } | undefined)?.sval?.toLowerCase() === USER_SETTING,
  );
}

/** PostgreSQL adds casts and collations around a column. A function of a column is another value. */
function columnOf(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if ('TypeCast' in node) return columnOf(node.TypeCast.arg);
  if ('CollateClause' in node) return columnOf(node.CollateClause.arg);
  return 'ColumnRef' in node ? stringsOf(node.ColumnRef.fields).slice(-1) : [];
}
