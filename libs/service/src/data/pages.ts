import { Injectable } from '@nestjs/common';
import { CursorCodec } from './cursor.js';
import { Database } from './database.js';
import { createListStatement, createScope, type FilterValue, type ListShape } from './list.js';

/**
 * A query as `listSchema` of a resource parses it. Every key other than limit, cursor and sort is a filter of the
 * shape.
 */
export type PageRequest = { limit: number; cursor?: string | undefined; sort: string } & Record<string, unknown>;

export interface Page<Row> {
  readonly items: Row[];
  readonly nextCursor: string | null;
}

/** Pages by the position of the last row. Every page costs the same, and no row is skipped or repeated. */
@Injectable()
export class Pages {
  constructor(
    private readonly database: Database,
    private readonly cursors: CursorCodec,
  ) {}

  async load<Row extends { id: string }>(shape: ListShape, userId: string, request: PageRequest): Promise<Page<Row>> {
    const { limit, cursor, sort, ...rest } = request;
    const filters = rest as Record<string, FilterValue | undefined>;
    const scope = createScope(shape, userId, { sort, filters });
    const after = cursor === undefined ? undefined : this.cursors.decode(cursor, scope);
    const statement = createListStatement(shape, { sort, filters, after, limit });
    const rows = await this.database.query<Row>({ userId, ...statement });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: last ? this.cursors.encode(positionOf(last, sort), scope) : null };
  }
}

function positionOf<Row extends { id: string }>(row: Row, sort: string): { value: string; id: string } {
  const name = sort.replace(/^-/, '');
  const value: unknown = row[name as keyof Row];
  if (typeof value !== 'string')
    throw new Error(`${name}: is not selected as text; expected each sort among the columns`);
  return { value, id: row.id };
}
