/** initdb assigns lower numbers, so a database's own objects have this number or a higher one. */
const FIRST_OWN = 16384;

const own = (catalogue: string, definition = `''`, condition = 'true') =>
  `SELECT '${catalogue}'::regclass::oid AS class, t.oid, ${definition}::text AS definition FROM ${catalogue} t WHERE t.oid >= ${FIRST_OWN} AND ${condition}`;

const IN_PASSING_SCHEMA = `(SELECT nspname ~ '^pg_(toast|temp)' FROM pg_namespace n WHERE n.oid = t.relnamespace)`;
const COLUMNS = `(SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attgenerated, attidentity), ',' ORDER BY attnum)
  FROM pg_attribute WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped)`;
const ROW_OR_ARRAY_TYPE = `(t.typrelid <> 0 AND (SELECT relkind <> 'c' FROM pg_class c WHERE c.oid = t.typrelid)
  OR EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))`;

const CATALOGUES = [
  own('pg_namespace', `''`, `nspname !~ '^pg_(toast|temp)'`),
  own(
    'pg_class',
    `concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, reltablespace, ${COLUMNS})`,
    `relkind NOT IN ('t', 'i', 'I') AND NOT ${IN_PASSING_SCHEMA}`,
  ),
  own(
    'pg_class',
    `concat_ws(' ', reltablespace, pg_get_indexdef(t.oid))`,
    `relkind IN ('i', 'I') AND NOT ${IN_PASSING_SCHEMA}`,
  ),
  own('pg_attrdef', 'pg_get_expr(adbin, adrelid)'),
  own('pg_constraint', 'pg_get_constraintdef(t.oid)', 'contype <> $$t$$'),
  own('pg_trigger', 'pg_get_triggerdef(t.oid)', 'NOT tgisinternal'),
  own('pg_rewrite', 'pg_get_ruledef(t.oid)', `rulename <> '_RETURN'`),
  own('pg_policy'),
  own(
    'pg_proc',
    `concat_ws(' ', (SELECT lanname FROM pg_language l WHERE l.oid = t.prolang), prosrc, probin, prosecdef, proconfig, provolatile)`,
  ),
  own('pg_type', `''`, `NOT ${ROW_OR_ARRAY_TYPE}`),
  ...['pg_extension', 'pg_foreign_data_wrapper', 'pg_foreign_server', 'pg_event_trigger'].map((name) => own(name)),
  ...['pg_publication', 'pg_language', 'pg_operator', 'pg_opclass', 'pg_opfamily'].map((name) => own(name)),
  ...['pg_cast', 'pg_collation', 'pg_conversion', 'pg_am', 'pg_transform', 'pg_statistic_ext'].map((name) => own(name)),
  ...['pg_ts_config', 'pg_ts_dict', 'pg_ts_parser', 'pg_ts_template'].map((name) => own(name)),
  // PostgreSQL lists large objects under the catalogue that contains their pages.
  `SELECT 'pg_largeobject'::regclass::oid, oid, '' FROM pg_largeobject_metadata`,
  // Only the administrator may read its table; the view shows that an entry exists.
  `SELECT 'pg_user_mapping'::regclass::oid, umid, '' FROM pg_user_mappings`,
  own('pg_subscription', `''`, `subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`),
];

/**
 * All objects of a database that initdb did not create, by kind and name, with a hash of their definition. Run it with
 * an empty search path: only the catalogue can answer then, and every name is printed with its schema.
 */
export const OBJECTS_SQL = `
SELECT i.type AS kind, i.identity AS name, md5(coalesce(o.definition, '')) AS definition
  FROM (${CATALOGUES.join('\nUNION ALL ')}) o, pg_identify_object(o.class, o.oid, 0) i
 WHERE i.type IS NOT NULL ORDER BY 1, 2`;
