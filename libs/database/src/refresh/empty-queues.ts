import { type Client, escapeIdentifier } from 'pg';

/** Also in an order that the foreign keys between them accept: queues come last. */
const TABLES = `
  SELECT c.relname AS name FROM pg_catalog.pg_class c
   WHERE c.relnamespace = pg_catalog.to_regnamespace('jobs') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
     AND c.relname <> 'version'
   ORDER BY c.relname = 'queue', c.relname`;

/**
 * Removes every job, of whatever state, with the queues and schedules: a copy must never do what its original was
 * asked to do. The version of the schema is kept.
 */
export async function emptyQueues(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(TABLES);
  for (const { name } of rows) await client.query(`DELETE FROM jobs.${escapeIdentifier(name)}`);
}

/** The tables that held jobs, for the removal of their old rows. */
export async function listQueueTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.oid::pg_catalog.regclass::text AS name FROM pg_catalog.pg_class c
      WHERE c.relnamespace = pg_catalog.to_regnamespace('jobs') AND c.relkind = 'r'`,
  );
  return rows.map(({ name }) => name);
}
