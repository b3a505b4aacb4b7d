import { type Node, parseSync } from 'libpg-query';
import { findServerChanges, type ServerChange } from './server-statements.js';
import { readSettings, type Setting } from './session-settings.js';

/** Statements that begin, end or divide transactions. */
export type Control = 'begin' | 'commit' | 'rollback' | 'savepoint';

export interface ParsedStatement {
  readonly sql: string;
  readonly control?: Control;
  readonly settings: readonly Setting[];
  /** Changes of objects that belong to the server. */
  readonly serverChanges: readonly ServerChange[];
  /** The command, if PostgreSQL refuses it outside of a transaction. */
  readonly needsTransaction?: string;
  /** The reason why one session cannot emulate the statement. */
  readonly refusal?: string;
}

const CACHE_LIMIT = 1000;
const cache = new Map<string, readonly ParsedStatement[] | undefined>();

/**
 * The statements of a text, parsed with PostgreSQL's own grammar. The module must be loaded.
 *
 * @returns undefined if the text is not valid SQL
 */
export function parseText(text: string): readonly ParsedStatement[] | undefined {
  if (cache.has(text)) return cache.get(text);
  if (cache.size >= CACHE_LIMIT) cache.clear();
  const parsed = parse(text);
  cache.set(text, parsed);
  return parsed;
}

function parse(text: string): readonly ParsedStatement[] | undefined {
  if (text.includes('\0')) return undefined;
  if (text.trim() === '') return [];
  try {
    const bytes = Buffer.from(text);
    return (parseSync(text).stmts ?? []).map(({ stmt, stmt_location: at = 0, stmt_len: length }) =>
      readStatement(stmt as Node, bytes.subarray(at, length === undefined ? undefined : at + length).toString()),
    );
  } catch {
    return undefined;
  }
}

function readStatement(node: Node, sql: string): ParsedStatement {
  if ('TransactionStmt' in node) return { sql, settings: [], serverChanges: [], ...readControl(node.TransactionStmt) };
  const needsTransaction = findTransactionNeed(node);
  const serverChanges = findServerChanges(node, sql);
  return {
    sql,
    serverChanges,
    ...readSettings(node, sql),
    ...(needsTransaction !== undefined && { needsTransaction }),
  };
}

const CURSOR_WITH_HOLD = 0x20;

function findTransactionNeed(node: Node): string | undefined {
  if ('LockStmt' in node) return 'LOCK TABLE';
  const isCursor = 'DeclareCursorStmt' in node && !((node.DeclareCursorStmt.options ?? 0) & CURSOR_WITH_HOLD);
  return isCursor ? 'DECLARE CURSOR' : undefined;
}

interface TransactionStatement {
  readonly kind?: string;
  readonly options?: readonly Node[];
  readonly chain?: boolean;
}

function readControl({ kind = '', options = [], chain }: TransactionStatement): Partial<ParsedStatement> {
  if (chain) return { refusal: 'begins a transaction as it ends one' };
  switch (kind.replace('TRANS_STMT_', '')) {
    case 'BEGIN':
    case 'START':
      return options.every(isDefault) ? { control: 'begin' } : { refusal: 'needs a separate transaction' };
    case 'COMMIT':
      return { control: 'commit' };
    case 'ROLLBACK':
      return { control: 'rollback' };
    case 'SAVEPOINT':
    case 'RELEASE':
    case 'ROLLBACK_TO':
      return { control: 'savepoint' };
    default:
      return { refusal: 'leaves a transaction that outlives its session' };
  }
}

/** Whether an option of BEGIN requests the default of a transaction. */
function isDefault(option: Node): boolean {
  if (!('DefElem' in option) || !option.DefElem.arg || !('A_Const' in option.DefElem.arg)) return false;
  const { sval, ival } = option.DefElem.arg.A_Const;
  return sval ? sval.sval === 'read committed' : ival !== undefined && !ival.ival;
}
