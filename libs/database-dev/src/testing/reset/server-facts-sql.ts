/**
 * One statement each, about a millisecond. Names are qualified, so that no object of the database can replace the
 * catalogue.
 */

export const ACTING_SQL = `
WITH RECURSIVE reach (role, via) AS (
  -- Memberships of any depth and with any options: one without rights now may get rights later.
  SELECT oid, NULL::pg_catalog.name FROM pg_catalog.pg_roles WHERE rolname IN (session_user, $2)
  UNION SELECT m.roleid, r.rolname FROM pg_catalog.pg_auth_members m
    JOIN reach ON m.member = reach.role JOIN pg_catalog.pg_roles r ON r.oid = m.member
)
SELECT pg_catalog.jsonb_build_object(
  'pid', pg_catalog.pg_backend_pid(),
  'systemIdentifier', (SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()),
  'startedAt', pg_catalog.pg_postmaster_start_time()::pg_catalog.text,
  'isInRecovery', pg_catalog.pg_is_in_recovery(),
  'mayBecomeOwner', COALESCE((SELECT pg_catalog.pg_has_role(session_user, oid, 'SET') FROM pg_catalog.pg_roles WHERE rolname = $2), false),
  'roles', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', r.rolname, 'through', COALESCE((
      SELECT pg_catalog.jsonb_agg(via) FROM reach WHERE role = r.oid AND via IS NOT NULL), '[]'), 'powers',
      (SELECT COALESCE(pg_catalog.jsonb_agg(power), '[]') FROM (
         SELECT 'superuser' AS power WHERE r.rolsuper
         UNION ALL SELECT 'createrole' WHERE r.rolcreaterole
         UNION ALL SELECT 'replication' WHERE r.rolreplication
         UNION ALL SELECT 'bypassrls' WHERE r.rolbypassrls
         UNION ALL SELECT 'the rights of ' || r.rolname WHERE r.oid < 16384) powers)))
    FROM pg_catalog.pg_roles r WHERE r.oid IN (SELECT role FROM reach)),
  'holdings', (SELECT COALESCE(pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object(
      'role', pg_catalog.pg_get_userbyid(s.refobjid), 'kind', s.kind, 'name', s.name)), '[]') FROM (
      SELECT d.datdba AS refobjid, 'database' AS kind, d.datname AS name FROM pg_catalog.pg_database d
      UNION ALL SELECT t.spcowner, 'tablespace', t.spcname FROM pg_catalog.pg_tablespace t
      UNION ALL SELECT h.refobjid, 'objects of the database', d.datname
        FROM pg_catalog.pg_shdepend h JOIN pg_catalog.pg_database d ON d.oid = h.dbid
        WHERE h.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND h.deptype IN ('o', 'a', 'r')
          -- Provisioning gives it rights in every database. They need CONNECT, which is judged with the databases.
          AND (h.deptype = 'o' OR h.refobjid IS DISTINCT FROM pg_catalog.to_regrole('airlock_system'))) s
    WHERE s.refobjid IN (SELECT role FROM reach)),
  -- Only names of settings: a value may be a secret.
  'settings', (SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
      'setting', pg_catalog.split_part(c.setting, '=', 1),
      'of', pg_catalog.concat_ws(' in ', CASE s.setrole WHEN 0 THEN NULL ELSE 'role ' || pg_catalog.pg_get_userbyid(s.setrole) END,
        (SELECT 'database ' || datname FROM pg_catalog.pg_database WHERE oid = s.setdatabase),
        CASE WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 'every role' END))), '[]')
    FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c(setting)
    WHERE (s.setrole = 0 OR s.setrole IN (SELECT role FROM reach))
      AND (s.setdatabase = 0 OR s.setdatabase IN (SELECT oid FROM pg_catalog.pg_database
        WHERE datname IN ($1::pg_catalog.name, ($1 || '_tpl')::pg_catalog.name, pg_catalog.current_database())))),
  'databases', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
      'oid', d.oid::pg_catalog.int8, 'name', d.datname, 'owner', pg_catalog.pg_get_userbyid(d.datdba),
      'tablespace', (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = d.dattablespace),
      'hasLoginTrigger', d.dathasloginevt, 'isTemplate', d.datistemplate, 'allowsConnections', d.datallowconn,
      'mayConnect', d.datallowconn AND pg_catalog.has_database_privilege(session_user, d.oid, 'CONNECT'),
      'seal', pg_catalog.shobj_description(d.oid, 'pg_database')) ORDER BY d.datname)
    FROM pg_catalog.pg_database d),
  -- Rows of other roles are masked, except these columns; a row with a user is a client session.
  'sessions', (SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
      'pid', a.pid, 'databaseOid', a.datid::pg_catalog.int8, 'applicationName', a.application_name,
      'user', COALESCE(a.usename, a.usesysid::pg_catalog.text))), '[]')
    FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_database d ON d.oid = a.datid
    WHERE d.datname = $1 AND a.usesysid IS NOT NULL),
  'preparedTransactions', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = $1),
  'slots', (SELECT COALESCE(pg_catalog.jsonb_agg(slot_name), '[]') FROM pg_catalog.pg_replication_slots WHERE database = $1)
) AS facts`;

export const INSIDE_SQL = `
SELECT pg_catalog.jsonb_build_object(
  'pid', pg_catalog.pg_backend_pid(),
  'applicationName', pg_catalog.current_setting('application_name'),
  'systemIdentifier', (SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()),
  'startedAt', pg_catalog.pg_postmaster_start_time()::pg_catalog.text,
  'isInRecovery', pg_catalog.pg_is_in_recovery(),
  'databaseOid', d.oid::pg_catalog.int8,
  'databaseName', d.datname,
  'strayStamps', (SELECT COALESCE(pg_catalog.jsonb_agg(s.relation), '[]') FROM (
      SELECT n.nspname || '.' || c.relname AS relation
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('environment', 'system_identifier', 'database_oid')
      WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname <> 'ops'
      GROUP BY 1 HAVING pg_catalog.count(*) = 3) s),
  'subscriptions', (SELECT COALESCE(pg_catalog.jsonb_agg(r.name), '[]') FROM (
      SELECT 'publication ' || pubname AS name FROM pg_catalog.pg_publication
      UNION ALL SELECT 'subscription ' || subname FROM pg_catalog.pg_subscription WHERE subdbid = d.oid) r),
  'foreignAccess', (SELECT COALESCE(pg_catalog.jsonb_agg(f.name), '[]') FROM (
      SELECT 'server ' || srvname AS name FROM pg_catalog.pg_foreign_server
      UNION ALL SELECT 'extension ' || extname FROM pg_catalog.pg_extension WHERE extname IN ('dblink', 'postgres_fdw', 'file_fdw')
      UNION ALL SELECT 'foreign data wrapper ' || fdwname FROM pg_catalog.pg_foreign_data_wrapper) f),
  'protections', (SELECT COALESCE(pg_catalog.jsonb_agg(evtname), '[]') FROM pg_catalog.pg_event_trigger),
  'sizeBytes', pg_catalog.pg_database_size(d.oid),
  -- Statistics are delayed and missing after a restore; the page count at least shows that rows exist.
  'rows', (SELECT COALESCE(pg_catalog.sum(GREATEST(c.reltuples, pg_catalog.pg_stat_get_live_tuples(c.oid), 0)), 0)::pg_catalog.int8
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema'))
) AS facts
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`;

export const LOGIN_TRIGGER_SQL = `
  SELECT dathasloginevt AS runs FROM pg_catalog.pg_database WHERE datname = $1`;

export const SESSIONS_SQL = `
  SELECT pg_catalog.count(*)::pg_catalog.int4 AS sessions
  FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_database d ON d.oid = a.datid
  WHERE d.datname = $1 AND a.usesysid IS NOT NULL`;
