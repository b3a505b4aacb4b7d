/** Of `pg_namespace n`: a schema of the database itself, not one of PostgreSQL, of Airlock or of an extension. */
export const OWN_SCHEMA = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'ops', 'jobs') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')`;

export const notOfExtension = (catalogue: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalogue}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
