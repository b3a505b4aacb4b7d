import type { Position } from './cursor.js';
import type { BoundStatement } from './owner-query.js';

/** How a table may be listed. Columns and types come only from here, never from a request. */
export interface ListShape {
  readonly table: string;
  /** The selected columns. Timestamps are selected as text, which keeps their microseconds. */
  readonly columns: string;
  readonly sorts: Readonly<Record<string, { readonly column: string; readonly type: 'timestamptz' | 'text' }>>;
  readonly filters: Readonly<
    Record<string, { readonly column: string; readonly operator: '=' | '>=' | '<'; readonly type: string }>
  >;
}

export interface ListRequest {
  /** A sort of the shape, with `-` for descending. */
  readonly sort: string;
  readonly filters: Readonly<Record<string, string | undefined>>;
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
 * One prepared statement per combination of sort, filters and first or later page. It selects one row more than the
 * page holds, which shows whether there is a next page.
 */
export function createListStatement(shape: ListShape, { sort, filters, after, limit }: ListRequest): BoundStatement {
  const isDescending = sort.startsWith('-');
  const { column, type } = found(shape.sorts, sort.replace(/^-/, ''));
  const used = Object.entries(filters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const values: unknown[] = [limit + 1];
  const bind = (value: unknown, sqlType: string) => `$${values.push(value)}::${sqlType}`;
  const conditions = used.map(([name, value]) => {
    const filter = found(shape.filters, name);
    return `${shape.table}.${filter.column} ${filter.operator} ${bind(value, filter.type)}`;
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

function found<T>(known: Readonly<Record<string, T>>, name: string): T {
  const value = Object.hasOwn(known, name) ? known[name] : undefined;
  if (value === undefined)
    throw new Error(`${name}: is not declared; expected one of ${Object.keys(known).join(', ')}`);
  return value;
}
