import type { Columns } from '@airlock/database/model';

/**
 * Every column of every table in schema public. A column that is not listed stops a refresh: decide here whether the
 * users of a copy may see its values.
 */
export const columns: Columns = {
  entities: {
    id: 'keep',
    owner_id: { pseudonym: 'user_' },
    name: { value: `'Entity ' || pg_catalog.substr(id::text, 25)` },
    attributes: { value: `'{}'` },
    version: 'keep',
    created_at: 'keep',
    updated_at: 'keep',
  },
};
