import { randomBytes } from 'node:crypto';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { ColumnRule } from './columns.js';

export type Columns = Readonly<Record<string, Readonly<Record<string, ColumnRule>>>>;

/** @returns what tables and rules say differently; nothing when each column has its rule */
export async function findUnclassified(client: Client, rules: Columns): Promise<string[]> {
  const { rows } = await client.query<{ table: string; column: string }>(COLUMNS);
  const there = rows.map(({ table, column }) => `${table}.${column}`);
  const ruled = Object.entries(rules).flatMap(([table, of]) => Object.keys(of).map((column) => `${table}.${column}`));
  return [
    ...there.filter((name) => !ruled.includes(name)).map((name) => `${name} has no rule`),
    ...ruled.filter((name) => !there.includes(name)).map((name) => `${name} has a rule and is not there`),
  ];
}

/** Replaces what people have entered. @returns how many rows each table holds */
export async function sanitise(client: Client, rules: Columns): Promise<Record<string, number>> {
  const salt = randomBytes(32).toString('hex');
  const counts: Record<string, number> = {};
  for (const [table, of] of Object.entries(rules)) {
    const changes = Object.entries(of).flatMap(([column, rule]) => describeChange(column, rule, salt));
    if (changes.length === 0) continue;
    const { rowCount } = await client.query(`UPDATE public.${escapeIdentifier(table)} SET ${changes.join(', ')}`);
    counts[table] = rowCount ?? 0;
  }
  return counts;
}

function describeChange(column: string, rule: ColumnRule, salt: string): string[] {
  if (rule === 'keep') return [];
  const name = escapeIdentifier(column);
  if ('value' in rule) return [`${name} = ${rule.value}`];
  const hash = `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to('${salt}' || ${name}::text, 'UTF8')), 'hex')`;
  return [
    `${name} = CASE WHEN ${name} IS NOT NULL THEN ${escapeLiteral(rule.pseudonym)} || pg_catalog.substr(${hash}, 1, 20) END`,
  ];
}

/** Wherever rows may lie, but for our own bookkeeping, which holds no data of users. */
const COLUMNS = `
  SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS table, a.attname AS column
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   WHERE c.relkind IN ('r', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'ops')
     AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp\\_%'
   ORDER BY 1, a.attnum`;
