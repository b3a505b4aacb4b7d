import type { Constraints } from '@airlock/service';

/** Errors for callers whose row violates a constraint of the table. Validation runs first and finds most errors. */
export const entityConstraints: Constraints = {
  entities_pkey: { detail: 'A record with this id already exists.' },
  entities_owner_id_length: 'internal',
  entities_name_length: { pointer: '#/name', detail: 'is too short or too long' },
  entities_name_not_null: { pointer: '#/name', detail: 'is required' },
  entities_attributes_object: { pointer: '#/attributes', detail: 'is not an object' },
  entities_attributes_not_null: { pointer: '#/attributes', detail: 'is required' },
  entities_version_positive: 'internal',
};
