import type { ColumnRule, Columns } from '../model/column-rules.js';

/** The tables of schema ops, which provisioning and the migrator create. */
const bookkeeping: Columns = {
  environment: {
    only_row: 'keep',
    environment: 'keep',
    system_identifier: 'keep',
    database_oid: 'keep',
    database_name: 'keep',
    created_by: 'keep',
    created_at: 'keep',
  },
  migrations: {
    name: 'keep',
    sha256: 'keep',
    phase: 'keep',
    completes: 'keep',
    applied_at: 'keep',
    duration_ms: 'keep',
    commit: 'keep',
    image_digest: 'keep',
    actor: 'keep',
  },
  migration_runs: {
    id: 'keep',
    started_at: 'keep',
    finished_at: 'keep',
    outcome: 'keep',
    planned: 'keep',
    // Some server messages quote values of rows.
    error: { value: `CASE WHEN error IS NOT NULL THEN 'removed by airlock db refresh' END` },
    commit: 'keep',
    image_digest: 'keep',
    actor: 'keep',
  },
  // Objects of the environment that the copy comes from. No other environment accepts their keys.
  files_to_remove: {
    key: 'keep',
    remove_after: 'keep',
    is_removing: 'keep',
  },
  // Of the environment that the copy comes from.
  system_uses: {
    id: 'keep',
    begun_at: 'keep',
    service: 'keep',
    reason: { value: `'removed by airlock db refresh'` },
    user_id: { value: 'NULL' },
    request_id: { value: 'NULL' },
  },
  // The stamp comes with a new generation, as with each adopted copy (provision/bootstrap.sql).
  read_cache: {
    only_row: 'keep',
    generation: 'keep',
    is_open: 'keep',
    server: { value: 'NULL' },
  },
};

export interface TableRules {
  readonly schema: 'public' | 'ops';
  readonly table: string;
  readonly columns: Readonly<Record<string, ColumnRule>>;
}

export function listTableRules(ofPublic: Columns): readonly TableRules[] {
  const list = (schema: TableRules['schema'], rules: Columns) =>
    Object.entries(rules).map(([table, of]) => ({ schema, table, columns: of }));
  return [...list('public', ofPublic), ...list('ops', bookkeeping)];
}
