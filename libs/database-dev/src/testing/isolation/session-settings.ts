import type { Node } from 'libpg-query';
import { readBody } from './routine-body.js';
import { someNode } from '../../lint/syntax/statement.js';

/** A setting that a statement changes. A number is the parameter with the value. */
export interface Setting {
  readonly name: string | number;
  /** True for a setting of the transaction, false for one of the session. */
  readonly isLocal: boolean | number;
  /** Empty if only running the statement shows it; absent if the setting returns to its default. */
  readonly value?: string;
  /** Changed when the object that the statement creates is called, not by the statement itself. */
  readonly isDeferred?: boolean;
}

/** The settings that a statement changes, or the reason why they are unknown. */
export interface SettingsOf {
  readonly settings: readonly Setting[];
  readonly refusal?: string;
}

const UNKNOWN_BODY = 'has a body that cannot be read, or that runs a generated text, and may change settings unnoticed';
const UNKNOWN_NAME = 'changes a setting that the text does not name';

/** Stands for all settings at once, which RESET ALL changes. */
export const EVERY_SETTING = '*';

export function readSettings(statement: Node, sql: string): SettingsOf {
  try {
    const settings = listSettings(statement, sql);
    return settings.some(changesReading) ? { settings, refusal: CHANGES_PARSING } : { settings };
  } catch (error) {
    if (error instanceof Unreadable) return { settings: [], refusal: error.message };
    throw error;
  }
}

/** The only values with which the server parses a text like the parser. At worst, `\'` in a text is then an error. */
const READING: ReadonlyMap<string, RegExp> = new Map([
  ['standard_conforming_strings', /^(on|true|yes|1)$/i],
  ['client_encoding', /^(utf-?8|unicode)$/i],
  ['backslash_quote', /^safe_encoding$/i],
]);
export const CHANGES_PARSING = 'changes how the server parses a text, which could then hide the end of a transaction';

/** A query for the values of the settings above. */
export const PARSER_SETTINGS: readonly string[] = [...READING.keys()];

/** Whether the server, with this value, parses some texts differently from the parser. */
export function isParsedDifferently(name: string, value: string): boolean {
  const expected = READING.get(name.toLowerCase());
  return expected !== undefined && !expected.test(value.trim());
}

/** RESET and DEFAULT return to the initial values of the session, which are checked then. */
function changesReading({ name, value }: Setting): boolean {
  return typeof name === 'string' && value !== undefined && isParsedDifferently(name, value);
}

class Unreadable extends Error {}

function listSettings(statement: Node, sql: string): Setting[] {
  if ('PrepareStmt' in statement) return defer(walk(statement));
  if ('CreateFunctionStmt' in statement) return defer(listSettingsOfBody(statement, sql));
  if ('DoStmt' in statement) return listSettingsOfBody(statement, sql);
  return walk(statement);
}

function listSettingsOfBody(statement: Node, sql: string): Setting[] {
  const trees = readBody(statement, sql);
  if (!trees) throw new Unreadable(UNKNOWN_BODY);
  return walk(trees);
}

/** A call may happen in any later transaction, with values that this text does not contain. */
function defer(settings: readonly Setting[]): Setting[] {
  return settings.map((setting) => {
    if (typeof setting.name === 'number' || setting.isLocal !== true) throw new Unreadable(UNKNOWN_NAME);
    return { ...setting, isDeferred: true };
  });
}

function walk(tree: unknown): Setting[] {
  const settings: Setting[] = [];
  someNode(tree, (kind, body) => {
    settings.push(...readNode(kind, body));
    return false;
  });
  return settings;
}

function readNode(kind: string, body: Record<string, unknown>): Setting[] {
  switch (kind) {
    case 'VariableSetStmt':
      return readSet(body);
    case 'FuncCall':
      return isSetConfig(body['funcname'] as Node[]) ? [readSetConfig((body['args'] ?? []) as Node[])] : [];
    default:
      return [];
  }
}

function readSet({ kind, name, is_local: isLocal = false, args }: Record<string, unknown>): Setting[] {
  if (kind === 'VAR_RESET_ALL') return [{ name: EVERY_SETTING, isLocal: false }];
  if (typeof name !== 'string') return [];
  const value = kind === 'VAR_SET_VALUE' ? readLiteral((args as Node[])[0]) : undefined;
  return [{ name, isLocal: Boolean(isLocal), ...(value !== undefined && { value }) }];
}

function readLiteral(node: Node | undefined): string {
  if (!node || !('A_Const' in node)) return '';
  const { sval, ival, boolval } = node.A_Const;
  return sval?.sval ?? String(ival?.ival ?? Boolean(boolval?.boolval));
}

function isSetConfig(names: readonly Node[]): boolean {
  const last = names.at(-1);
  return last !== undefined && 'String' in last && last.String.sval === 'set_config';
}

function readSetConfig([first, second, third]: readonly Node[]): Setting {
  const [name, value, isLocal] = [first, second, third].map(readValue);
  if (typeof name === 'boolean' || name === undefined) throw new Unreadable(UNKNOWN_NAME);
  if (typeof isLocal === 'string' || isLocal === undefined) throw new Unreadable(UNKNOWN_NAME);
  const isKnown = typeof value === 'string' || typeof value === 'boolean';
  return { name, isLocal, value: isKnown ? String(value) : '' };
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
