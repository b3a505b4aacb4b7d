import type { Constraints } from '@airlock/service';

/** What the table refuses, for callers: validation comes first, so this is for what only the database can tell. */
export const entityConstraints: Constraints = {
  entities_pkey: { detail: 'A record with this id exists already.' },
  entities_name_length: { pointer: '#/name', detail: 'has a length that is not allowed' },
  entities_name_not_null: { pointer: '#/name', detail: 'is required' },
  entities_attributes_object: { pointer: '#/attributes', detail: 'is not an object' },
  entities_attributes_not_null: { pointer: '#/attributes', detail: 'is required' },
};
