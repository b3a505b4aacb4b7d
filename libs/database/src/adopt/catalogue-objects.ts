import type { ClientBase } from 'pg';
import { OWN_SCHEMA } from './own-objects.js';

/** Kind and name of each object → the settings of it that `readStructure` does not print. */
export type CatalogueObjects = ReadonlyMap<string, string>;

/**
 * Every object of a database that neither initdb, an extension nor Airlock created, whatever its kind: also those that
 * no code here knows how to create, so that a comparison names them.
 */
export async function readObjects(client: ClientBase): Promise<CatalogueObjects> {
  await client.query('SET LOCAL search_path = pg_catalog');
  const { rows } = await client.query<{ name: string; settings: string }>(OBJECTS);
  return new Map(rows.map(({ name, settings }) => [name, settings]));
}

/** One line for each object that is only in one of the two databases, or has other settings there. */
export function compareObjects(wanted: CatalogueObjects, found: CatalogueObjects): string[] {
  const missing = [...wanted].flatMap(([name, settings]) => {
    const other = found.get(name);
    if (other === undefined) return [`- ${name}`];
    return other === settings ? [] : [`- ${name} (${settings})`, `+ ${name} (${other})`];
  });
  return [...missing, ...[...found.keys()].filter((name) => !wanted.has(name)).map((name) => `+ ${name}`)];
}

/** initdb assigns lower numbers. */
const FIRST_OWN = 16384;
const own = (catalogue: string, settings = `''`, condition = 'true') =>
  `SELECT '${catalogue}'::regclass::oid AS class, t.oid, 0 AS sub, ${settings}::text AS settings FROM ${catalogue} t WHERE t.oid >= ${FIRST_OWN} AND ${condition}`;

/** Of a part of a table, which has no schema in its own right. */
const isOwn = (relation: string) =>
  `${relation} IN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OWN_SCHEMA})`;

const ROW_OR_ARRAY = `(t.typrelid <> 0 AND (SELECT relkind <> 'c' FROM pg_class c WHERE c.oid = t.typrelid)
  OR EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))`;

const FOUND = [
  own('pg_namespace', `''`, `nspname !~ '^pg_(toast|temp)'`),
  own(
    'pg_class',
    `concat_ws(' ', relkind, relpersistence, reloptions, (SELECT s.reloptions FROM pg_class s WHERE s.oid = t.reltoastrelid), relreplident,
       (SELECT spcname FROM pg_tablespace s WHERE s.oid = t.reltablespace), CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'not populated' END,
       pg_get_expr(relpartbound, t.oid), (SELECT seqcache FROM pg_sequence WHERE seqrelid = t.oid),
       CASE WHEN reloftype <> 0 THEN 'of ' || reloftype::regtype END,
       (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = t.oid),
       (SELECT concat(d.refobjid::regclass, '.', a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype IN ('a', 'i') AND t.relkind = 'S'),
       (SELECT concat_ws(' ', indisclustered, indisreplident, indisvalid) FROM pg_index WHERE indexrelid = t.oid))`,
    `relkind <> 't' AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast|temp)')`,
  ),
  `SELECT 'pg_class'::regclass::oid, c.oid, a.attnum, concat_ws(' ', (SELECT count(*) FROM pg_attribute b WHERE b.attrelid = c.oid AND b.attnum BETWEEN 1 AND a.attnum AND NOT b.attisdropped),
            format_type(a.atttypid, a.atttypmod), nullif(a.attcollation, 0)::regcollation, a.attstorage, a.attcompression, a.attstattarget, a.attoptions, a.attfdwoptions)
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'c', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_(toast|temp)' AND c.oid >= ${FIRST_OWN}`,
  own('pg_attrdef', 'pg_get_expr(adbin, adrelid)', isOwn('adrelid')),
  own(
    'pg_constraint',
    `concat_ws(' ', pg_get_constraintdef(t.oid), convalidated, conenforced, connoinherit)`,
    `contypid <> 0 OR ${isOwn('conrelid')}`,
  ),
  own('pg_trigger', `concat_ws(' ', pg_get_triggerdef(t.oid), tgenabled)`, `NOT tgisinternal AND ${isOwn('tgrelid')}`),
  own(
    'pg_rewrite',
    `concat_ws(' ', pg_get_ruledef(t.oid), ev_enabled)`,
    `rulename <> '_RETURN' AND ${isOwn('ev_class')}`,
  ),
  own('pg_policy', `concat_ws(' ', polcmd, polpermissive)`, isOwn('polrelid')),
  own(
    'pg_proc',
    `concat_ws(' ', prokind, provolatile, proparallel, proisstrict, prosecdef, proleakproof, procost, prorows, proconfig, md5(prosrc))`,
  ),
  own(
    'pg_type',
    `concat_ws(' ', typtype, typdefault, typnotnull, nullif(typcollation, 0)::regcollation)`,
    `NOT ${ROW_OR_ARRAY}`,
  ),
  own('pg_statistic_ext', 'pg_get_statisticsobjdef(t.oid)'),
  own('pg_extension', 'extversion', `extname <> 'plpgsql'`),
  own('pg_event_trigger', `''`, `evtname <> 'airlock_refuse_drop'`),
  ...['pg_foreign_data_wrapper', 'pg_foreign_server', 'pg_publication', 'pg_language', 'pg_operator'].map((name) =>
    own(name),
  ),
  ...['pg_opclass', 'pg_opfamily', 'pg_cast', 'pg_collation', 'pg_conversion', 'pg_am', 'pg_transform'].map((name) =>
    own(name),
  ),
  ...['pg_ts_config', 'pg_ts_dict', 'pg_ts_parser', 'pg_ts_template'].map((name) => own(name)),
  // PostgreSQL lists large objects under the catalogue that contains their pages.
  `SELECT 'pg_largeobject'::regclass::oid, oid, 0, '' FROM pg_largeobject_metadata`,
  own('pg_subscription', `''`, `subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`),
];

const OBJECTS = `
  WITH found AS (${FOUND.join('\nUNION ALL ')}), named AS (
    SELECT i.*, f.* FROM found f CROSS JOIN LATERAL pg_identify_object(f.class, f.oid, f.sub) i
     WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = f.class AND e.objid = f.oid AND e.deptype = 'e')
  )
  SELECT type || ' ' || identity AS name, settings FROM named
   WHERE type IS NOT NULL AND (schema IS NULL OR schema IN (SELECT n.nspname FROM pg_namespace n WHERE ${OWN_SCHEMA}))
     AND NOT (type = 'schema' AND identity IN ('ops', 'jobs', 'public'))
  UNION ALL
  SELECT concat_ws(' ', 'comment on', i.type, i.identity), d.description
    FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
   WHERE d.objoid >= ${FIRST_OWN} AND d.classoid <> 'pg_extension'::regclass AND (i.schema IS NULL OR i.schema IN (SELECT n.nspname FROM pg_namespace n WHERE ${OWN_SCHEMA}))
     AND i.identity NOT IN ('ops', 'jobs')
     AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
  UNION ALL
  SELECT concat_ws(' ', 'security label on', i.type, i.identity), l.label
    FROM pg_seclabel l CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i
   WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = l.classoid AND e.objid = l.objoid AND e.deptype = 'e')
   ORDER BY 1`;
