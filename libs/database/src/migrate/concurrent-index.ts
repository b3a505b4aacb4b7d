import pg from 'pg';
import type { Migration } from './migration.js';
import { NotNow } from './retry.js';

/** What a statement outside a transaction builds: CREATE INDEX CONCURRENTLY or REINDEX INDEX CONCURRENTLY. */
interface IndexBuild {
  readonly schema: string;
  readonly index: string;
}

const CREATE =
  /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(?<index>\w+)\s+ON\s+(?:ONLY\s+)?(?<schema>\w+)\.\w+/i;
const REINDEX = /^REINDEX\s+INDEX\s+CONCURRENTLY\s+(?<schema>\w+)\.(?<index>\w+)/i;

/** Removes what an interrupted attempt left behind; it would be dead weight, and IF NOT EXISTS would take it for done. */
export async function dropInvalidIndexes(client: pg.Client, migration: Migration): Promise<string[]> {
  const build = parseIndexBuild(migration);
  if (build === undefined) return [];
  const leftovers = await findInvalidIndexes(client, build);
  for (const { name, building } of leftovers) {
    if (building)
      throw new NotNow(`${migration.name}: ${name} is being built by another session; expected nobody else at it`);
    await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
  return leftovers.map(({ name }) => name);
}

export function parseIndexBuild({ transactional, statements }: Migration): IndexBuild | undefined {
  if (transactional) return undefined;
  const sql = statements[0]?.sql ?? '';
  const { schema, index } = (CREATE.exec(sql) ?? REINDEX.exec(sql))?.groups ?? {};
  return schema === undefined || index === undefined
    ? undefined
    : { schema: schema.toLowerCase(), index: index.toLowerCase() };
}

/** The index itself, or the copies that REINDEX CONCURRENTLY makes beside it. */
async function findInvalidIndexes(
  client: pg.Client,
  { schema, index }: IndexBuild,
): Promise<{ name: string; building: boolean }[]> {
  const { rows } = await client.query<{ name: string; building: boolean }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
            EXISTS (SELECT FROM pg_stat_progress_create_index p
                     WHERE p.index_relid = c.oid AND p.datname = current_database()) AS building
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT i.indisvalid AND n.nspname = $1
        AND (c.relname = $2 OR regexp_replace(c.relname, '_cc(new|old)\\d*$', '') = $2)`,
    [schema, index],
  );
  return rows;
}
