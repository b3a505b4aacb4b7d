import { type Node, parseSync } from 'libpg-query';
import { someNode } from '../../lint/statement.js';

/** The commands of a session that begin, end or divide transactions. */
export type Control = 'begin' | 'commit' | 'rollback' | 'savepoint';

/** A setting that a statement changes for the length of its transaction. */
export interface LocalSetting {
  /** Its name, or the number of the parameter that holds it. */
  readonly name: string | number;
  /** The parameter that says whether it is local; absent where the text itself says so. */
  readonly isLocal?: number;
}

export interface ParsedStatement {
  readonly sql: string;
  readonly control?: Control;
  readonly settings: readonly LocalSetting[];
  /** Why one session cannot show what the statement does. */
  readonly refusal?: string;
}

const CACHE_LIMIT = 1000;
const cache = new Map<string, readonly ParsedStatement[] | undefined>();

/**
 * The statements of a text, as PostgreSQL's own grammar reads them. The module must be loaded.
 *
 * @returns undefined where the text is not valid SQL
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
  if ('TransactionStmt' in node) return { sql, settings: [], ...readControl(node.TransactionStmt) };
  const settings = readSettings(node);
  if (settings) return { sql, settings };
  return { sql, settings: [], refusal: 'changes a setting whose name the text does not say' };
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
      return options.every(isDefault) ? { control: 'begin' } : { refusal: 'needs a transaction of its own' };
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

/** Whether an option of BEGIN asks for what a transaction is without it. */
function isDefault(option: Node): boolean {
  if (!('DefElem' in option) || !option.DefElem.arg || !('A_Const' in option.DefElem.arg)) return false;
  const { sval, ival } = option.DefElem.arg.A_Const;
  return sval ? sval.sval === 'read committed' : ival !== undefined && !ival.ival;
}

/** @returns undefined where a setting's name can only be known by running the statement */
function readSettings(statement: Node): LocalSetting[] | undefined {
  const settings: (LocalSetting | undefined)[] = [];
  someNode(statement, (kind, body) => {
    if (kind === 'VariableSetStmt' && body['is_local'] && typeof body['name'] === 'string') {
      settings.push({ name: body['name'] });
    }
    if (kind === 'FuncCall' && isSetConfig(body['funcname'] as Node[])) {
      const setting = readSetConfig((body['args'] ?? []) as Node[]);
      if (setting !== 'session') settings.push(setting);
    }
    return false;
  });
  return settings.includes(undefined) ? undefined : (settings as LocalSetting[]);
}

function isSetConfig(names: readonly Node[]): boolean {
  const last = names.at(-1);
  return last !== undefined && 'String' in last && last.String.sval === 'set_config';
}

/** @returns `session` where the call changes the setting for good, undefined where it cannot be told */
function readSetConfig([name, , isLocal]: readonly Node[]): LocalSetting | 'session' | undefined {
  const [readName, readLocal] = [readValue(name), readValue(isLocal)];
  if (readLocal === false) return 'session';
  if (typeof readName === 'boolean' || readName === undefined) return undefined;
  if (readLocal === true) return { name: readName };
  return typeof readLocal === 'number' ? { name: readName, isLocal: readLocal } : undefined;
}

/** A literal, or the number of a parameter. */
function readValue(node: Node | undefined): string | number | boolean | undefined {
  if (!node) return undefined;
  if ('TypeCast' in node) return readValue(node.TypeCast.arg);
  if ('ParamRef' in node) return node.ParamRef.number;
  if (!('A_Const' in node)) return undefined;
  const { sval, boolval } = node.A_Const;
  return sval ? sval.sval : boolval ? Boolean(boolval.boolval) : undefined;
}
