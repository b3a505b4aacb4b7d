import type { Client } from 'pg';
import type { TableRules } from './table-rules.js';
import { nameTable } from './sanitise.js';

/**
 * Replaced values remain in the pages of the tables, with those of dropped columns, and the most common ones in the
 * statistics of the planner. Cleared statistics matter for empty tables: ANALYZE leaves theirs as they are.
 *
 * @returns a warning for each system catalogue that this role may not rewrite
 * @throws Error where a table was not rewritten
 */
export async function forgetOldRows(client: Client, rules: readonly TableRules[]): Promise<string[]> {
  const { rows: present } = await client.query<{ name: string }>(
    `SELECT name FROM pg_catalog.unnest($1::text[]) name WHERE pg_catalog.to_regclass(name) IS NOT NULL`,
    [rules.map(nameTable)],
  );
  const tables = present.map(({ name }) => name).join(', ');
  await client.query(CLEAR_STATISTICS);
  const skipped = await collectWarnings(client, `ANALYZE ${tables}`, `VACUUM (FULL) ${tables}`);
  if (skipped.length > 0) throw new Error(skipped.join('; '));
  return collectWarnings(client, `VACUUM (FULL) ${CATALOGUES.join(', ')}`);
}

/** What has held values of rows: statistics, and the data of large objects that were removed. */
const CATALOGUES = ['pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject'].map((name) => `pg_catalog.${name}`);

/** A table that a role may not rewrite is skipped with a warning, and the command succeeds. */
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

/** Those of expressions belong to the index. */
const CLEAR_STATISTICS = `
  SELECT pg_catalog.pg_clear_attribute_stats(n.nspname, c.relname, a.attname, false)
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops')
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   WHERE c.relkind IN ('r', 'i')`;
