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
  // A copy has no token of a user, and therefore no connection that works.
  provider_connections: {
    id: 'keep',
    owner_id: { pseudonym: 'user_' },
    provider: 'keep',
    account: { pseudonym: 'account_' },
    status: { value: `'broken'` },
    sealed_tokens: { value: 'NULL' },
    expires_at: { value: 'NULL' },
    claimed_until: { value: 'NULL' },
    created_at: 'keep',
    updated_at: 'keep',
  },
  provider_connection_attempts: {
    owner_id: { pseudonym: 'user_' },
    provider: 'keep',
    id: 'keep',
    phase: { value: `'returned'` },
    sealed: { value: `''` },
    expires_at: { value: `'-infinity'` },
  },
};
