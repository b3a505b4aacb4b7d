import type { Position } from './cursor.js';
import type { BoundStatement } from './owner-query.js';

/** How a table may be listed. Columns and types come only from here, never from a request. */
export interface ListShape {
  readonly table: string;
  /** The selected columns. Timestamps are selected as text, which keeps their microseconds. */
  readonly columns: string;
  readonly sorts: Readonly<Record<string, { readonly column: string; readonly type: 'timestamptz' | 'text' }>>;
  readonly filters: Readonly<Record<string, ListFilter>>;
}

/**
 * `in` takes the values of `anyOf`. `prefix` takes the beginning of a text, in which no character is special.
 * `is null` takes `yesOrNo`: true for rows without a value, false for those with one.
 */
export type ListFilter =
  | { readonly column: string; readonly operator: '=' | '>=' | '<' | 'in' | 'prefix'; readonly type: string }
  | { readonly column: string; readonly operator: 'is null' };

export type FilterValue = string | readonly string[] | boolean;

export interface ListRequest {
  /** A sort of the shape, with `-` for descending. */
  readonly sort: string;
  readonly filters: Readonly<Record<string, FilterValue | undefined>>;
  readonly after: Position | undefined;
  readonly limit: number;
}

/** Identifies the list that a cursor is valid for: table, user, sort and filters. */
export function createScope(
  { table }: ListShape,
  userId: string,
  { sort, filters }: Omit<ListRequest, 'after' | 'limit'>,
): string {
  return JSON.stringify([table, userId, sort, Object.entries(filters).filter(([, value]) => value !== undefined)]);
}

/**
 * One prepared statement per combination of sort, filters, values of `is null` and first or later page. It selects one
 * row more than the page holds, which shows whether there is a next page.
 */
export function createListStatement(shape: ListShape, { sort, filters, after, limit }: ListRequest): BoundStatement {
  const isDescending = sort.startsWith('-');
  const { column, type } = found(shape.sorts, sort.replace(/^-/, ''));
  const used = Object.entries(filters).filter((entry): entry is [string, FilterValue] => entry[1] !== undefined);
  const values: unknown[] = [limit + 1];
  const bind = (value: unknown, sqlType: string) => `$${values.push(value)}::${sqlType}`;
  const conditions = used.map(([name, value]) => {
    const filter = found(shape.filters, name);
    return createCondition(`${shape.table}.${filter.column}`, filter, { value, bind });
  });
  // A row comparison seeks in the index to the end of the last page, so the cost does not depend on the page number.
  if (after) {
    const comparison = `(${bind(after.value, type)}, ${bind(after.id, 'uuid')})`;
    conditions.push(`(${shape.table}.${column}, ${shape.table}.id) ${isDescending ? '<' : '>'} ${comparison}`);
  }
  const direction = isDescending ? 'DESC' : 'ASC';
  // An unqualified column in ORDER BY would refer to the selected text of the same name.
  const text = [
    `SELECT ${shape.columns} FROM ${shape.table}`,
    conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '',
    `ORDER BY ${shape.table}.${column} ${direction}, ${shape.table}.id ${direction} LIMIT $1`,
  ].join(' ');
  const name = [shape.table, 'list', sort, ...used.map(([key]) => key), after ? 'next' : 'first'].join(':');
  return { name, text, values };
}

function createCondition(
  column: string,
  filter: ListFilter,
  { value, bind }: { value: FilterValue; bind: (value: unknown, sqlType: string) => string },
): string {
  switch (filter.operator) {
    case 'is null':
      if (typeof value !== 'boolean') throw new Error(`${column}: is filtered by ${typeof value}; expected yesOrNo`);
      return `${column} IS ${value ? '' : 'NOT '}NULL`;
    case 'in':
      return `${column} = ANY (${bind(value, `${filter.type}[]`)})`;
    case 'prefix':
      return createPrefixCondition(column, String(value), (bound) => bind(bound, filter.type));
    case '=':
    case '>=':
    case '<':
      return `${column} ${filter.operator} ${bind(value, filter.type)}`;
  }
}

/**
 * A range instead of LIKE: row-level security keeps LIKE, which could tell about rows of others, from using an index.
 * Databases sort texts by code point, so that the texts with this beginning follow one another.
 */
function createPrefixCondition(column: string, prefix: string, bind: (bound: string) => string): string {
  const from = `${column} >= ${bind(prefix)}`;
  const end = endOfPrefix(prefix);
  return end === undefined ? from : `${from} AND ${column} < ${bind(end)}`;
}

const [LAST_BEFORE_SURROGATES, FIRST_AFTER_SURROGATES, LAST_CHARACTER] = [0xd7ff, 0xe000, 0x10ffff];

/** The least text that is greater than all with this beginning; undefined if there is none. */
function endOfPrefix(prefix: string): string | undefined {
  const codes = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  const at = codes.findLastIndex((code) => code < LAST_CHARACTER);
  const code = codes[at];
  if (code === undefined) return undefined;
  const next = code === LAST_BEFORE_SURROGATES ? FIRST_AFTER_SURROGATES : code + 1;
  return String.fromCodePoint(...codes.slice(0, at), next);
}

function found<T>(known: Readonly<Record<string, T>>, name: string): T {
  const value = Object.hasOwn(known, name) ? known[name] : undefined;
  if (value === undefined)
    throw new Error(`${name}: is not declared; expected one of ${Object.keys(known).join(', ')}`);
  return value;
}
