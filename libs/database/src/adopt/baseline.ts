import type { ClientBase } from 'pg';
import { notOfExtension, OWN_SCHEMA } from './own-objects.js';
import { openSchema, OTHER_SCHEMAS } from './take-over.js';

/**
 * The statements that create the schema of a database again, in an order that usually runs; `proveBaseline` finds the
 * exact one. Roles, owners and grants are left out: provisioning decides them in every environment.
 *
 * This reader shares nothing with the two that compare the result, so that an omission here is a difference there.
 */
export async function readBaseline(client: ClientBase): Promise<string[]> {
  // Names are printed with their schema unless the search path reaches them.
  await client.query(`SET LOCAL search_path = pg_catalog; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres';
    SET LOCAL TimeZone = 'UTC'; SET LOCAL quote_all_identifiers = off`);
  const statements: string[] = ['SET LOCAL check_function_bodies = off'];
  const { rows: schemas } = await client.query<{ schema: string }>(OTHER_SCHEMAS);
  for (const { schema } of schemas) statements.push(`CREATE SCHEMA ${schema}`, openSchema(schema));
  for (const query of QUERIES) {
    const { rows } = await client.query<{ sql: string }>(query);
    statements.push(...rows.map(({ sql }) => sql.trim().replace(/;$/, '')));
  }
  return statements;
}

const IS_IDENTITY = `EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype = 'i')`;
const SEQUENCE = `format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s', s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
  CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)`;
const OPTIONS = (owner: string) =>
  `(SELECT ' WITH (' || string_agg(format('%s = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') || ')' FROM unnest(${owner}.reloptions) o)`;
const TABLES = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}`;
const NAME = `format('%I.%I', n.nspname, c.relname)`;

const COLUMN = `format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
  || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END
  || CASE a.attidentity WHEN '' THEN '' ELSE (
       SELECT format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
                     s.seqrelid::regclass, ${SEQUENCE})
         FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
        WHERE d.classid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype = 'i') END
  || CASE a.attgenerated WHEN '' THEN coalesce(' DEFAULT ' || pg_get_expr(f.adbin, f.adrelid), '')
       ELSE format(' GENERATED ALWAYS AS (%s) %s', pg_get_expr(f.adbin, f.adrelid), CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END) END`;
/** Inside of CREATE TABLE, where a column may be NOT NULL under the name that it has. */
const NOT_NULLS = `SELECT format('CONSTRAINT %I NOT NULL %I', k.conname, a.attname) AS line, 2000 + a.attnum AS place
  FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
 WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.convalidated AND k.conislocal AND NOT k.connoinherit`;

const QUERIES = [
  `SELECT format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I', extname, n.nspname) AS sql
     FROM pg_extension x JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql' ORDER BY x.oid`,
  `SELECT format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
                 (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)) AS sql
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype = 'e' AND ${OWN_SCHEMA} AND ${notOfExtension('pg_type', 't.oid')} ORDER BY t.oid`,
  `SELECT format('CREATE DOMAIN %I.%I AS %s%s%s%s%s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
                 CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation ELSE '' END,
                 coalesce(' DEFAULT ' || t.typdefault, ''), CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
                 (SELECT string_agg(format(E'\\n  CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), '' ORDER BY conname COLLATE "C")
                    FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')) AS sql
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_type b ON b.oid = t.typbasetype
    WHERE t.typtype = 'd' AND ${OWN_SCHEMA} AND ${notOfExtension('pg_type', 't.oid')} ORDER BY t.oid`,
  `SELECT format('CREATE TYPE %s AS (%s)', ${NAME}, (
            SELECT string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
                     CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END), ', ' ORDER BY attnum)
              FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)) AS sql
     FROM ${TABLES} AND c.relkind = 'c' AND ${notOfExtension('pg_type', 'c.reltype')} ORDER BY c.oid`,
  `SELECT format('CREATE %sSEQUENCE %s AS %s %s', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, ${NAME}, format_type(s.seqtypid, NULL), ${SEQUENCE}) AS sql
     FROM pg_sequence s, ${TABLES} AND c.oid = s.seqrelid AND NOT ${IS_IDENTITY} ORDER BY 1`,
  `SELECT pg_get_functiondef(p.oid) AS sql FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p', 'w') AND ${OWN_SCHEMA} AND ${notOfExtension('pg_proc', 'p.oid')} ORDER BY p.oid::regprocedure::text COLLATE "C"`,
  `SELECT format(E'CREATE %sTABLE %s (\\n  %s\\n)%s%s', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, ${NAME}, (
            SELECT string_agg(line, E',\\n  ' ORDER BY place) FROM (
              SELECT ${COLUMN} AS line, a.attnum AS place
                FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              UNION ALL ${NOT_NULLS}) l),
            coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), ''), coalesce(${OPTIONS('c')}, '')) AS sql
     FROM ${TABLES} AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY ${NAME} COLLATE "C"`,
  // By number: a partition is younger than its table.
  `SELECT format('CREATE %sTABLE %s PARTITION OF %s %s%s%s', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, ${NAME}, i.inhparent::regclass,
                 pg_get_expr(c.relpartbound, c.oid), coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), ''), coalesce(${OPTIONS('c')}, '')) AS sql
     FROM pg_inherits i, ${TABLES} AND c.oid = i.inhrelid AND c.relispartition AND c.relkind IN ('r', 'p') ORDER BY c.oid`,
  `SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', s.seqrelid::regclass, d.refobjid::regclass, a.attname) AS sql
     FROM pg_sequence s JOIN pg_depend d ON d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND d.refobjsubid > 0
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid, ${TABLES} AND c.oid = s.seqrelid ORDER BY 1`,
  `SELECT format('ALTER TABLE %s ALTER COLUMN %I SET %s', ${NAME}, a.attname, setting) AS sql
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL (
       SELECT 'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END AS setting
        WHERE a.attstorage <> t.typstorage
       UNION ALL SELECT 'COMPRESSION ' || CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END WHERE a.attcompression <> ''
       UNION ALL SELECT 'STATISTICS ' || a.attstattarget WHERE a.attstattarget >= 0
       UNION ALL SELECT '(' || array_to_string(a.attoptions, ', ') || ')' WHERE a.attoptions IS NOT NULL) v,
          ${TABLES} AND c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY ${NAME} COLLATE "C", a.attnum, 1`,
  // Keys before the foreign keys that point at them.
  `SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', ${NAME}, k.conname, pg_get_constraintdef(k.oid)) AS sql
     FROM pg_constraint k, ${TABLES} AND c.oid = k.conrelid AND k.conparentid = 0 AND (k.conislocal OR k.coninhcount = 0)
      AND (k.contype IN ('p', 'u', 'x', 'c', 'f') OR k.contype = 'n' AND NOT (k.convalidated AND NOT k.connoinherit))
    ORDER BY k.contype = 'f', ${NAME} COLLATE "C", strpos('pucxnf', k.contype::text), k.conname COLLATE "C"`,
  `SELECT pg_get_indexdef(i.indexrelid) AS sql FROM pg_index i, ${TABLES} AND c.oid = i.indrelid AND c.relkind <> 'm' AND i.indisvalid
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY ${NAME} COLLATE "C", 1`,
  `SELECT format('ALTER INDEX %s ATTACH PARTITION %s', h.inhparent::regclass, h.inhrelid::regclass) AS sql
     FROM pg_inherits h JOIN pg_index i ON i.indexrelid = h.inhrelid, ${TABLES} AND c.oid = i.indrelid
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = h.inhrelid) ORDER BY h.inhrelid`,
  `SELECT pg_get_statisticsobjdef(s.oid) AS sql FROM pg_statistic_ext s, ${TABLES} AND c.oid = s.stxrelid ORDER BY 1`,
  `SELECT format('CREATE %sVIEW %s%s AS%s%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END, ${NAME}, coalesce(${OPTIONS('c')}, ''),
                 E'\\n', rtrim(pg_get_viewdef(c.oid), ';')) AS sql
     FROM ${TABLES} AND c.relkind IN ('v', 'm') ORDER BY c.oid`,
  `SELECT pg_get_indexdef(i.indexrelid) AS sql FROM pg_index i, ${TABLES} AND c.oid = i.indrelid AND c.relkind = 'm' AND i.indisvalid ORDER BY 1`,
  `SELECT pg_get_triggerdef(g.oid) AS sql FROM pg_trigger g, ${TABLES} AND c.oid = g.tgrelid AND NOT g.tgisinternal AND g.tgparentid = 0 ORDER BY 1`,
  `SELECT format('ALTER TABLE %s %s TRIGGER %I', ${NAME}, CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, g.tgname) AS sql
     FROM pg_trigger g, ${TABLES} AND c.oid = g.tgrelid AND NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgenabled <> 'O' ORDER BY 1`,
  `SELECT format('ALTER TABLE %s %s ROW LEVEL SECURITY', ${NAME}, word) AS sql
     FROM (VALUES ('ENABLE'), ('FORCE')) v (word), ${TABLES} AND (word = 'ENABLE' AND c.relrowsecurity OR word = 'FORCE' AND c.relforcerowsecurity) ORDER BY 1`,
  // The roles of a policy to others are not on every server; readInventory refuses it.
  `SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, ${NAME}, CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                 CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                 (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY r) FROM unnest(p.polroles) r),
                 coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
                 coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')) AS sql
     FROM pg_policy p, ${TABLES} AND c.oid = p.polrelid ORDER BY 1`,
  `SELECT format('COMMENT ON %s %s IS %L', CASE WHEN i.type LIKE '% column' THEN 'COLUMN' WHEN i.type = 'table constraint' THEN 'CONSTRAINT' WHEN i.type = 'statistics object' THEN 'STATISTICS' ELSE upper(i.type) END,
                 i.identity, d.description) AS sql
     FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
    WHERE d.objoid >= 16384 AND d.classoid NOT IN ('pg_extension'::regclass, 'pg_event_trigger'::regclass, 'pg_publication'::regclass, 'pg_subscription'::regclass, 'pg_largeobject'::regclass) AND i.type <> 'domain constraint'
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
      AND (i.schema IS NULL OR i.schema NOT IN ('ops', 'jobs')) AND i.identity NOT IN ('ops', 'jobs') ORDER BY 1`,
];
