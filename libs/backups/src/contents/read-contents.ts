import { loadLedger } from '@airlock/database/sessions';
import type { Client } from 'pg';
import { refuse } from '../problems/backup-error.js';
import type { Contents } from './contents.js';

interface Table {
  readonly name: string;
  readonly isView: boolean;
  readonly isReadable: boolean;
}

/** Every relation whose rows a dump contains. */
const TABLES = `
  SELECT c.oid::pg_catalog.regclass::text AS name, c.relkind = 'm' AS "isView",
         pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid) AS "isReadable"
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relpersistence <> 't'
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
   ORDER BY 1`;

const CONSTRAINTS = `
  SELECT pg_catalog.count(*)::int AS constraints,
         coalesce(pg_catalog.array_agg(conname::text ORDER BY conname) FILTER (WHERE NOT convalidated), '{}') AS unvalidated,
         ARRAY(SELECT indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index
                WHERE NOT indisvalid AND indexrelid >= 16384 ORDER BY 1) AS "invalidIndexes"
    FROM pg_catalog.pg_constraint WHERE oid >= 16384`;

/** Prepares a session: it reads for as long as it takes, and fails where a policy would hide a row. */
export async function prepareSession(client: Client): Promise<void> {
  await client.query(
    `SET search_path = ''; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
     SET transaction_timeout = 0; SET row_security = off`,
  );
}

/** @throws BackupError missing-rights for a role that would not see every row */
export async function listTables(client: Client): Promise<readonly Table[]> {
  const { rows: tables } = await client.query<Table>(TABLES);
  const hidden = tables.filter(({ isReadable }) => !isReadable).map(({ name }) => name);
  if (hidden.length === 0) return tables;
  const shown =
    hidden.length > 5 ? `${hidden.slice(0, 5).join(', ')} and ${hidden.length - 5} others` : hidden.join(', ');
  throw refuse(
    'missing-rights',
    `${String(client.user)}: may not read every row of ${shown}; expected a superuser, or a role with BYPASSRLS and pg_read_all_data\n` +
      '  set DATABASE_ADMIN_URL to such a role',
  );
}

/** Counts every row in the snapshot of the session. */
export async function readContents(client: Client, tables: readonly Table[]): Promise<Contents> {
  const rows: Record<string, number> = {};
  for (const { name, isView } of tables) {
    const { rows: counted } = await client.query<{ n: string }>(
      `SELECT count(*) AS n FROM ${isView ? '' : 'ONLY '}${name}`,
    );
    rows[name] = Number(counted[0]?.n);
  }
  const { rows: found } = await client.query<Omit<Contents, 'rows' | 'migrations'>>(CONSTRAINTS);
  const migrations = (await loadLedger(client)).map(({ name, sha256 }) => ({ name, sha256 }));
  return { rows, ...found[0]!, migrations };
}
