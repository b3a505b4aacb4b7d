import { Database, isoTimestamp, type ListShape, type Page, Pages } from '@airlock/service';
import { Injectable } from '@nestjs/common';
import type { Entity, EntityChanges, EntityList, NewEntity } from './entity.schemas.js';

const COLUMNS = `entities.id, entities.name, attributes, version, ${isoTimestamp('created_at', 'createdAt')}, ${isoTimestamp('updated_at', 'updatedAt')}`;

const LIST: ListShape = {
  table: 'entities',
  columns: COLUMNS,
  sorts: { createdAt: { column: 'created_at', type: 'timestamptz' }, name: { column: 'name', type: 'text' } },
  filters: {
    name: { column: 'name', operator: '=', type: 'text' },
    createdFrom: { column: 'created_at', operator: '>=', type: 'timestamptz' },
    createdBefore: { column: 'created_at', operator: '<', type: 'timestamptz' },
  },
};

const FIND = { name: 'entities:find', text: `SELECT ${COLUMNS} FROM entities WHERE id = $1` };

/** The owner is the user of the transaction; the policy rejects any other owner. */
const CREATE = {
  name: 'entities:create',
  text: `INSERT INTO entities (owner_id, name, attributes)
         VALUES (current_setting('app.user_id'), $1, $2) RETURNING ${COLUMNS}`,
};

/** One statement distinguishes a missing row from a row with another version. */
const UPDATE = {
  name: 'entities:update',
  text: `WITH found AS (SELECT id FROM entities WHERE id = $1), changed AS (
           UPDATE entities SET name = coalesce($3, name), attributes = coalesce($4, attributes),
                  version = version + 1, updated_at = now()
            WHERE id = $1 AND ($2::int[] IS NULL OR version = ANY ($2)) RETURNING ${COLUMNS})
         SELECT changed.* FROM found LEFT JOIN changed USING (id)`,
};

const DELETE = {
  name: 'entities:delete',
  text: `WITH found AS (SELECT id FROM entities WHERE id = $1), deleted AS (
           DELETE FROM entities WHERE id = $1 AND ($2::int[] IS NULL OR version = ANY ($2)) RETURNING id)
         SELECT deleted.id FROM found LEFT JOIN deleted USING (id)`,
};

export interface EntityTarget {
  readonly userId: string;
  readonly id: string;
  /** The accepted versions; any version if undefined. */
  readonly versions: readonly number[] | undefined;
}

export type Outcome<T> = T | 'missing' | 'changed';

/** The rows of the caller. Row-level security selects them, not this class. */
@Injectable()
export class EntitiesRepository {
  constructor(
    private readonly database: Database,
    private readonly pages: Pages,
  ) {}

  list(userId: string, request: EntityList): Promise<Page<Entity>> {
    return this.pages.load<Entity>(LIST, userId, request);
  }

  async find(userId: string, id: string): Promise<Entity | undefined> {
    const [row] = await this.database.query<Entity>({ userId, ...FIND, values: [id] });
    return row;
  }

  async create(userId: string, { name, attributes }: NewEntity): Promise<Entity> {
    const [row] = await this.database.query<Entity>({ userId, ...CREATE, values: [name, attributes] });
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  async update({ userId, id, versions }: EntityTarget, { name, attributes }: EntityChanges): Promise<Outcome<Entity>> {
    const values = [id, versions, name, attributes];
    const [row] = await this.database.query<Entity | { readonly version: null }>({ userId, ...UPDATE, values });
    if (!row) return 'missing';
    return row.version === null ? 'changed' : row;
  }

  async delete({ userId, id, versions }: EntityTarget): Promise<Outcome<'deleted'>> {
    const [row] = await this.database.query<{ id: string | null }>({ userId, ...DELETE, values: [id, versions] });
    if (!row) return 'missing';
    return row.id === null ? 'changed' : 'deleted';
  }
}
