import type { Client } from 'pg';
import { type Environment, environmentsWith, listNames, traitsOf } from '@airlock/config';
import type { Seeds, TableSeeds } from '../model/define-seeds.js';
import { MigrationError, MigrationRefusal } from '../model/migration-error.js';
import { quoteTable, type SeededTable } from './seed-table.js';

/** @throws MigrationRefusal where only users enter data */
export function assertMayBeSeeded(environment: Environment): void {
  if (traitsOf(environment).mayBeSeeded) return;
  throw new MigrationRefusal(
    `ENVIRONMENT: seeds are sample data, and this is ${environment}; expected ${listNames(environmentsWith('mayBeSeeded'))}`,
  );
}

/**
 * A refresh, and the adoption of a restored database, write the stamp after the migrations; provisioning writes it before.
 *
 * @throws MigrationRefusal for a database that was filled with a copy
 */
export async function assertNoCopy(client: Client): Promise<void> {
  const { rows } = await client.query<{ at: string | null }>(`
    SELECT min(stamp.created_at)::text AS at FROM ops.environment AS stamp, ops.migrations AS first
     HAVING min(stamp.created_at) > min(first.applied_at)`);
  const [copy] = rows;
  if (!copy) return;
  throw new MigrationRefusal(
    `database "${String(client.database)}": holds a copy since ${copy.at}, by a refresh or a restore; expected one that was provisioned empty\n` +
      '  sample rows are never added to a copy; `airlock db refresh` replaces it by a newer one',
  );
}

export interface SeedScope {
  /** Leaves out tables and columns that do not exist yet, for a database before the last migrations. */
  readonly isPartial: boolean;
  /** Adds no row to a table where the first user has one, so that rows that were deleted stay deleted. */
  readonly ifEmpty: boolean | undefined;
}

export async function inspectTables(
  client: Client,
  { users, tables }: Seeds,
  { isPartial, ifEmpty }: SeedScope,
): Promise<SeededTable[]> {
  assertOrder(tables);
  const known = await readColumns(client, tables);
  const present = isPartial ? tables.filter(({ table }) => known.has(table)) : tables;
  const filled = ifEmpty ? await findFilled(client, present, users[0]) : new Set();
  return present.map((seeds) => ({
    seeds,
    columns: known.get(seeds.table) ?? raise(seeds),
    isPartial,
    isKept: filled.has(seeds.table),
    isParent: present.some(({ of }) => of === seeds),
  }));
}

function assertOrder(tables: readonly TableSeeds[]): void {
  for (const [place, { table, of }] of tables.entries())
    if (of && !tables.slice(0, place).includes(of))
      throw new MigrationError(
        `seeds of ${table}: belong to rows of ${of.table}, which is not before it in the list; expected it before`,
      );
}

function raise({ table }: TableSeeds): never {
  throw new MigrationError(
    `seeds of ${table}: the database has no table public.${table}; expected it\n  airlock db migrate`,
  );
}

async function readColumns(client: Client, tables: readonly TableSeeds[]): Promise<Map<string, Set<string>>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `SELECT c.relname::text AS table, pg_catalog.array_agg(a.attname::text) AS columns
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1) GROUP BY c.relname`,
    [tables.map(({ table }) => table)],
  );
  return new Map(rows.map(({ table, columns }) => [table, new Set(columns)]));
}

async function findFilled(client: Client, tables: readonly TableSeeds[], userId: string): Promise<Set<string>> {
  const filled = new Set<string>();
  await client.query('BEGIN');
  await client.query(`SELECT pg_catalog.set_config('app.user_id', $1, true)`, [userId]);
  for (const seeds of tables)
    if ((await client.query(`SELECT FROM ${quoteTable(seeds)} LIMIT 1`)).rowCount) filled.add(seeds.table);
  await client.query('COMMIT');
  return filled;
}
