import { type Client, escapeLiteral } from 'pg';
import type { Migration } from '../model/migration.js';
import { SYSTEM_ROLE } from '../model/system-role.js';

/** A table that the load reads and writes. Names are quoted where SQL needs it. */
export interface LoadTable {
  readonly table: string;
  /** Estimated from a sample. */
  readonly rows: number;
  /** The columns of the primary key; none if there is no such key. */
  readonly key: readonly { readonly name: string; readonly type: string }[];
  /** A column outside the key that the application may update. */
  readonly column: string | null;
  /** Columns of an INSERT. A key with a default is left out, so that the row is a new one. */
  readonly inserted: readonly string[];
}

/** The tables that the statements name, by themselves or by an index, constraint, sequence or domain, and their neighbours by foreign keys. */
export async function findTouchedTables(client: Client, migrations: readonly Migration[]): Promise<LoadTable[]> {
  const words = listWords(migrations.flatMap(({ statements }) => statements.map(({ sql }) => sql)).join('\n'));
  const { rows } = await client.query<{ oid: number }>(TOUCHED, [[...words]]);
  const oids = rows.map(({ oid }) => oid);
  // A copy was filled by a bulk load, after which the server knows no counts yet.
  const names = await client.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE oid = ANY ($1)`,
    [oids],
  );
  for (const { name } of names.rows) await client.query(`ANALYZE ${name}`);
  return (await client.query<LoadTable>(FACTS, [oids])).rows;
}

/** Every identifier of the text, as the catalogue spells it. Too many words do no harm. */
export function listWords(text: string): Set<string> {
  const words = text.match(/"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [];
  return new Set(
    words.map((word) => (word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase())),
  );
}

const TOUCHED = `
  WITH tables AS (
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'ops') AND n.nspname !~ '^pg_'
  ), names AS (
    SELECT oid, relname FROM tables
    UNION ALL SELECT i.indrelid, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    UNION ALL SELECT conrelid, conname FROM pg_constraint
    UNION ALL SELECT d.refobjid, s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    UNION ALL SELECT a.attrelid, y.typname FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid AND y.typtype = 'd'
  ), named AS (
    SELECT DISTINCT oid FROM tables JOIN names USING (oid) WHERE names.relname::text = ANY ($1)
  )
  SELECT oid::int8::float8 AS oid FROM named
  UNION SELECT t.oid::int8::float8 FROM tables t JOIN pg_constraint k ON k.contype = 'f' AND t.oid IN (k.conrelid, k.confrelid)
    JOIN named n ON n.oid IN (k.conrelid, k.confrelid)`;

const FACTS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS table, greatest(c.reltuples, 0)::float8 AS rows,
         coalesce((SELECT jsonb_agg(jsonb_build_object('name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod))
                                    ORDER BY a.attnum)
                     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)), '[]') AS key,
         (SELECT quote_ident(a.attname) FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
             AND a.attnum <> ALL (coalesce(k.conkey, '{}'))
             AND has_column_privilege(${escapeLiteral(SYSTEM_ROLE)}, c.oid, a.attnum, 'UPDATE')
           ORDER BY a.attnum LIMIT 1) AS column,
         coalesce((SELECT jsonb_agg(quote_ident(a.attname) ORDER BY a.attnum) FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
             AND NOT (a.attnum = ANY (coalesce(k.conkey, '{}')) AND (a.atthasdef OR a.attidentity = 'd'))
             AND has_column_privilege(${escapeLiteral(SYSTEM_ROLE)}, c.oid, a.attnum, 'INSERT')), '[]') AS inserted
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
   WHERE c.oid = ANY ($1) ORDER BY 1`;
