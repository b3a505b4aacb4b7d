import pg from 'pg';
import { clipIdentifier, LONGEST_IDENTIFIER_BYTES } from '../model/identifier.js';
import type { Migration } from '../model/migration.js';
import { type IndexBuild, parseIndexBuild } from '../model/repeatable.js';
import { RetryLater } from './retry.js';

/** Removes the invalid index of an interrupted attempt: IF NOT EXISTS would take it for a finished one. */
export async function dropInvalidIndexes(client: pg.Client, migration: Migration): Promise<string[]> {
  const build = parseIndexBuild(migration);
  if (build === undefined) return [];
  const leftovers = await findInvalidIndexes(client, build);
  for (const { name, building } of leftovers) {
    if (building)
      throw new RetryLater(
        `${migration.name}: ${name} is being built by another session; expected no other session to build it`,
      );
    await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
  return leftovers.map(({ name }) => name);
}

/** The index itself, or the copies that REINDEX CONCURRENTLY creates beside it. */
async function findInvalidIndexes(
  client: pg.Client,
  { schema, index }: IndexBuild,
): Promise<{ name: string; building: boolean }[]> {
  const { rows } = await client.query<{ name: string; relname: string; building: boolean }>(
    `SELECT c.relname, format('%I.%I', n.nspname, c.relname) AS name,
            EXISTS (SELECT FROM pg_stat_progress_create_index p
                     WHERE p.index_relid = c.oid AND p.datname = current_database()) AS building
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT i.indisvalid AND n.nspname = $1`,
    [schema],
  );
  return rows.filter(({ relname }) => relname === index || isCopy(relname, index));
}

/** The copy has the name of its index, shortened so that the suffix fits. */
function isCopy(name: string, index: string): boolean {
  const [suffix] = /_cc(?:new|old)\d*$/.exec(name) ?? [];
  return suffix !== undefined && name === clipIdentifier(index, LONGEST_IDENTIFIER_BYTES - suffix.length) + suffix;
}
