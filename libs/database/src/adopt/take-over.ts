import { notOfExtension, OWN_SCHEMA } from './own-objects.js';

/**
 * Gives a schema other than public the rights that provisioning gives schema public. The application has another name in
 * each environment: it and the system's role are those that get the rows of public.
 */
export function openSchema(name: string): string {
  const schema = name.replaceAll("'", "''");
  // No name may end the text that it stands in.
  let tag = '$rights$';
  while (name.includes(tag)) tag = `$its_${tag.slice(1)}`;
  return `DO ${tag}
DECLARE
  role text;
BEGIN
  FOR role IN
    SELECT DISTINCT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee))
      FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) a
     WHERE d.defaclnamespace = 'public'::pg_catalog.regnamespace AND d.defaclobjtype = 'r'
       AND a.privilege_type = 'INSERT' AND a.grantee NOT IN (0, d.defaclrole)
  LOOP
    EXECUTE 'GRANT USAGE ON SCHEMA ${schema} TO ' || role;
    EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ' || role;
    EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT USAGE, SELECT ON SEQUENCES TO ' || role;
    EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT EXECUTE ON FUNCTIONS TO ' || role;
  END LOOP;
END ${tag}`;
}

/** The schemas that `openSchema` is for, as SQL writes their names. */
export const OTHER_SCHEMAS = `SELECT quote_ident(n.nspname) AS schema FROM pg_namespace n WHERE ${OWN_SCHEMA} AND n.nspname <> 'public' ORDER BY n.nspname COLLATE "C"`;

/**
 * Follows bootstrap.sql in its transaction, with its settings. bootstrap.sql gives the tables of schema public to the owner
 * role; here every other object of the database follows, and the application gets its rights on all of them.
 */
export const TAKE_OVER = `
SET LOCAL search_path = pg_catalog;
DO $owners$
DECLARE
  owner text := current_setting('provision.owner');
  is_superuser boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
  given text;
BEGIN
  -- A login that owned everything may go on as the application, which must not own the database. The rights of the owner go
  -- to the new one.
  IF (SELECT pg_get_userbyid(datdba) IN (current_setting('provision.app_user'), current_setting('provision.migrator_user'))
        FROM pg_database WHERE datname = current_database()) THEN
    EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), session_user);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), current_setting('provision.app_user'));
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), current_setting('provision.migrator_user'));
  END IF;
  -- A name of a schema that belongs to the owner already must be found.
  IF NOT is_superuser THEN
    EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE', owner, current_user);
  END IF;
  FOR given IN
    SELECT format('ALTER SCHEMA %I OWNER TO %I', n.nspname, owner) FROM pg_namespace n
     WHERE ${OWN_SCHEMA} AND n.nspowner <> to_regrole(quote_ident(owner))
  LOOP
    EXECUTE given;
  END LOOP;
  FOR given IN
    SELECT format('ALTER %s %s OWNER TO %I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                    WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, c.oid::regclass, owner)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${OWN_SCHEMA} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND c.relowner <> to_regrole(quote_ident(owner)) AND ${notOfExtension('pg_class', 'c.oid')} AND ${notOfExtension('pg_type', 'c.reltype')}
       -- The sequence of a column follows its table.
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, owner) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE ${OWN_SCHEMA} AND p.proowner <> to_regrole(quote_ident(owner)) AND ${notOfExtension('pg_proc', 'p.oid')}
    UNION ALL
    SELECT format('ALTER TYPE %s OWNER TO %I', t.oid::regtype, owner) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE ${OWN_SCHEMA} AND t.typtype IN ('e', 'd', 'r') AND t.typowner <> to_regrole(quote_ident(owner)) AND ${notOfExtension('pg_type', 't.oid')}
    UNION ALL
    SELECT format('ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, s.stxname, owner) FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
     WHERE ${OWN_SCHEMA} AND s.stxowner <> to_regrole(quote_ident(owner))
  LOOP
    EXECUTE given;
  END LOOP;
  -- Provisioning has just created the trigger, which takes the end of a default for a drop.
  IF is_superuser AND EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'airlock_refuse_drop') THEN
    ALTER EVENT TRIGGER airlock_refuse_drop DISABLE;
  END IF;
  -- Grants of earlier owners on their future objects. Provisioning keeps those of the application, and without superuser
  -- rights all of them.
  FOR given IN
    SELECT DISTINCT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %s REVOKE ALL ON %s FROM %s', pg_get_userbyid(d.defaclrole), d.defaclnamespace::regnamespace,
             CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END,
             CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
      FROM pg_default_acl d, aclexplode(d.defaclacl) a
     WHERE d.defaclrole <> to_regrole(quote_ident(owner)) AND d.defaclnamespace <> 0
  LOOP
    EXECUTE given;
  END LOOP;
  IF is_superuser AND EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'airlock_refuse_drop') THEN
    ALTER EVENT TRIGGER airlock_refuse_drop ENABLE;
  END IF;
  IF NOT is_superuser THEN
    EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE', owner, current_user);
  END IF;
END $owners$;
DO $rights$
DECLARE
  given text;
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', current_setting('provision.owner'));
  FOR given IN
    WITH things AS (
      SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspacl AS acl, n.nspowner AS owner, NULL AS ours FROM pg_namespace n WHERE ${OWN_SCHEMA} AND n.nspname <> 'public'
      UNION ALL
      SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, c.relacl, c.relowner,
             CASE c.relkind WHEN 'S' THEN 'USAGE, SELECT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE ${OWN_SCHEMA} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${notOfExtension('pg_class', 'c.oid')}
      UNION ALL
      SELECT 'ROUTINE', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner, 'EXECUTE'
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${OWN_SCHEMA} AND ${notOfExtension('pg_proc', 'p.oid')}
    )
    SELECT DISTINCT format('REVOKE ALL ON %s %s FROM %s CASCADE', kind, name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
      FROM things, aclexplode(acl) a WHERE a.grantee <> owner
    UNION ALL
    SELECT format('GRANT %s ON %s %s TO %I, airlock_system', ours, kind, name, current_setting('provision.app_user')) FROM things WHERE ours IS NOT NULL
    ORDER BY 1 DESC
  LOOP
    EXECUTE given;
  END LOOP;
  RESET ROLE;
END $rights$;`;
