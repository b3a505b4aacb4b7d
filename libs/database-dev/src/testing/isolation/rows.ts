import { type Client, escapeLiteral } from 'pg';

interface Table {
  readonly name: string;
  /** JSON, as the server writes and reads it. */
  readonly rows: string;
}

interface Sequence {
  readonly name: string;
  readonly last_value: string;
  readonly is_called: boolean;
}

/** All rows and sequences of a database, without its schema and its stamp. */
export interface Rows {
  readonly tables: readonly Table[];
  readonly sequences: readonly Sequence[];
}

/** @param client a session of an administrator */
export async function readRows(client: Client): Promise<Rows> {
  const tables: Table[] = [];
  for (const name of (await listTables(client)).keys()) {
    const { rows } = await client.query<{ rows: string }>(
      `SELECT coalesce(json_agg(t), '[]')::text AS rows FROM ONLY ${name} t`,
    );
    tables.push({ name, rows: rows[0]?.rows ?? '[]' });
  }
  return { tables, sequences: await readSequences(client) };
}

/** Names, and the writable columns of each: without those that the server generates. */
async function listTables(client: Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; columns: string }>(TABLES_SQL);
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

/** Replaces all rows of the database by these, with foreign keys and triggers disabled. */
export async function writeRows(client: Client, { tables, sequences }: Rows): Promise<void> {
  await client.query('BEGIN');
  try {
    await refill(client, tables);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
  await writeSequences(client, sequences);
}

async function refill(client: Client, tables: readonly Table[]): Promise<void> {
  await client.query('SET LOCAL session_replication_role = replica');
  const columnsOf = await listTables(client);
  for (const { name, rows } of tables) {
    const columns = columnsOf.get(name);
    // The rows are from a test that has changed the schema, or there is nothing to write.
    if (!columns) continue;
    await client.query(`DELETE FROM ONLY ${name}`);
    await client.query(
      `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE
       SELECT ${columns} FROM json_populate_recordset(NULL::${name}, $1)`,
      [rows],
    );
  }
}

export async function readSequences(client: Client): Promise<Sequence[]> {
  const { rows: names } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name FROM pg_sequences`,
  );
  if (names.length === 0) return [];
  const selects = names.map(
    ({ name }) => `SELECT ${escapeLiteral(name)} AS name, last_value::text, is_called FROM ${name}`,
  );
  return (await client.query<Sequence>(selects.join(' UNION ALL '))).rows;
}

/** No rollback resets a sequence. */
export async function writeSequences(client: Client, sequences: readonly Sequence[]): Promise<void> {
  if (sequences.length === 0) return;
  const calls = sequences.map(
    ({ name, last_value, is_called }) => `setval(to_regclass(${escapeLiteral(name)}), ${last_value}, ${is_called})`,
  );
  await client.query(`SELECT ${calls.join(', ')}`);
}

const TABLES_SQL = `
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND (n.nspname, c.relname) <> ('ops', 'environment')`;
