import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import type { TableSeeds } from '../model/define-seeds.js';
import { MigrationError } from '../model/migration-error.js';
import { SYSTEM_ROLE } from '../model/system-role.js';
import type { IndexedRow } from './create-rows.js';

/** A table that seeds write to, as this database has it. */
export interface SeededTable {
  readonly seeds: TableSeeds;
  readonly columns: ReadonlySet<string>;
  /** Columns that it does not have yet are left out. */
  readonly isPartial: boolean;
  /** Its rows are read, and none is added. */
  readonly isKept: boolean;
  /** Another table has rows for each of its rows. */
  readonly isParent: boolean;
}

/** Adds the rows that are missing. An existing row stays as it is, whichever unique key it was found by. */
export async function addRows(client: Client, table: SeededTable, rows: readonly IndexedRow[]): Promise<number> {
  const [first] = rows;
  if (!first) return 0;
  const { seeds } = table;
  const list = chooseColumns(table, Object.keys(first.row)).map(escapeIdentifier).join(', ');
  return asWriter(client, seeds, async () => {
    const { rowCount } = await client.query(
      `INSERT INTO ${quoteTable(seeds)} (${list})
       SELECT ${list} FROM pg_catalog.jsonb_populate_recordset(NULL::${quoteTable(seeds)}, $1) ON CONFLICT DO NOTHING`,
      [toJson(rows)],
    );
    return rowCount ?? 0;
  });
}

function chooseColumns({ seeds, columns, isPartial }: SeededTable, properties: readonly string[]): string[] {
  const missing = properties.filter((property) => !columns.has(toColumn(property)));
  if (missing.length > 0 && !isPartial)
    throw new MigrationError(
      `seeds of ${seeds.table}: ${missing.join(', ')}: the table has no such columns; expected ${missing.map(toColumn).join(', ')}\n  airlock db migrate`,
    );
  return properties.map(toColumn).filter((name) => columns.has(name));
}

/** The rows as the database has them, found by their keys. A row that its user deleted is not among them. */
export async function findRows(
  client: Client,
  { seeds }: SeededTable,
  rows: readonly IndexedRow[],
): Promise<IndexedRow[]> {
  const keys = seeds.key.map(toColumn).map(escapeIdentifier);
  const { rows: found } = await client.query<Record<string, unknown> & { '#': string }>(
    `SELECT found.*, wanted.ordinality - 1 AS "#"
       FROM pg_catalog.jsonb_populate_recordset(NULL::${quoteTable(seeds)}, $1) WITH ORDINALITY AS wanted
       JOIN ${quoteTable(seeds)} AS found USING (${keys.join(', ')}) ORDER BY wanted.ordinality`,
    [toJson(rows)],
  );
  return found.map(({ '#': place, ...row }) => ({
    index: rows[Number(place)]?.index ?? 0,
    row: Object.fromEntries(Object.entries(row).map(([name, value]) => [toProperty(name), value])),
  }));
}

/** Only the role of the system changes a table that users only read. */
async function asWriter<T>(client: Client, { writer, table }: TableSeeds, write: () => Promise<T>): Promise<T> {
  try {
    if (writer === 'user') return await write();
    await client.query(`SET LOCAL ROLE ${SYSTEM_ROLE}`);
    const result = await write();
    await client.query('RESET ROLE');
    return result;
  } catch (error) {
    if (!(error instanceof DatabaseError) || !/^(22|23|42)/.test(error.code ?? '')) throw error;
    // Its detail may contain a row of a user.
    const message = `seeds of ${table}: ${error.message}; expected rows that the table accepts from their user`;
    throw new MigrationError(message, { cause: error });
  }
}

export function quoteTable({ table }: Pick<TableSeeds, 'table'>): string {
  return `public.${escapeIdentifier(table)}`;
}

function toJson(rows: readonly IndexedRow[]): string {
  return JSON.stringify(
    rows.map(({ row }) => Object.fromEntries(Object.entries(row).map(([name, value]) => [toColumn(name), value]))),
  );
}

export function toColumn(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toProperty(column: string): string {
  return column.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
