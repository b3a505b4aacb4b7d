import { Injectable } from '@nestjs/common';
import { Database } from '../data/database.js';
import type { EntityRow } from './entity.js';

const LIST = {
  name: 'entities_list',
  text: `SELECT id, owner_id, name, attributes, version, created_at, updated_at
           FROM entities ORDER BY created_at, id LIMIT $1`,
};

/** The rows of the caller: which those are is decided by row-level security, not here. */
@Injectable()
export class EntitiesRepository {
  constructor(private readonly database: Database) {}

  list(userId: string, limit: number): Promise<EntityRow[]> {
    return this.database.query<EntityRow>({ userId, ...LIST, values: [limit] });
  }
}
