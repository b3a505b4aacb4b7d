import type { Client } from 'pg';
import type { TableRules } from './table-rules.js';
import { listQueueTables } from './empty-queues.js';
import { nameTable } from './sanitise.js';

/**
 * Replaced values remain in the pages of the tables, as do those of dropped columns, and the most common ones remain in
 * the planner's statistics. Statistics are cleared because ANALYZE keeps those of empty tables.
 *
 * @returns a warning for each system catalogue that this role may not rewrite
 * @throws Error where a table was not rewritten
 */
export async function removeOldRows(client: Client, rules: readonly TableRules[]): Promise<string[]> {
  const { rows: present } = await client.query<{ name: string }>(
    `SELECT name FROM pg_catalog.unnest($1::text[]) name WHERE pg_catalog.to_regclass(name) IS NOT NULL`,
    [rules.map(nameTable)],
  );
  const tables = [...present.map(({ name }) => name), ...(await listQueueTables(client))].join(', ');
  await client.query(CLEAR_STATISTICS);
  const skipped = await collectWarnings(client, `ANALYZE ${tables}`, `VACUUM (FULL) ${tables}`);
  if (skipped.length > 0) throw new Error(skipped.join('; '));
  return collectWarnings(client, `VACUUM (FULL) ${CATALOGUES.join(', ')}`);
}

/** Catalogues that held values of rows: statistics, and the data of removed large objects. */
const CATALOGUES = ['pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject'].map((name) => `pg_catalog.${name}`);

/** VACUUM skips a table that the role may not rewrite with a warning, and succeeds. */
async function collectWarnings(client: Client, ...statements: string[]): Promise<string[]> {
  const warnings: string[] = [];
  const collect = ({ severity, message }: { severity: string | undefined; message: string | undefined }) =>
    severity === 'WARNING' && message && warnings.push(message);
  client.on('notice', collect);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    client.off('notice', collect);
  }
  return warnings;
}

/** Statistics of expressions belong to the index. */
const CLEAR_STATISTICS = `
  SELECT pg_catalog.pg_clear_attribute_stats(n.nspname, c.relname, a.attname, inherited)
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops', 'jobs')
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   CROSS JOIN (VALUES (false), (true)) AS of (inherited)
   WHERE c.relkind IN ('r', 'i', 'p', 'I')`;
