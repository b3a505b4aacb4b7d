-- Everything that a database of Airlock needs before its migrations: roles, grants, identity stamp and, unless it is
-- disposable, the refusal of drops. The embedded server, Compose and hosted PostgreSQL use this same text. Safe to repeat.
--
-- Run it in ONE transaction, connected to the target database, as the role that owns it and may create roles
-- (a superuser is not needed), after set_config(name, value, true) of:
--   provision.environment                               the environment of the database
--   provision.environments                              all environments, separated by commas
--   provision.may_be_reset, provision.is_disposable
--                            optional                   on: the environment has this trait; off by default
--   provision.app_user,      provision.app_password       the application role; a password may be a SCRAM verifier
--   provision.migrator_user, provision.migrator_password  the role that changes the schema
--   provision.owner          optional                   the owner role, <database>_owner by default
--   provision.adopt          optional                   the full name of a database with contents to adopt
-- `airlock db provision` does so; so does docker/postgres for psql.

SET LOCAL search_path = '';
SET LOCAL client_min_messages = warning;
SELECT pg_advisory_xact_lock(hashtextextended('airlock/provision', 0));

DO $parameters$
DECLARE
  env text := current_setting('provision.environment', true);
  app text := current_setting('provision.app_user', true);
  migrator text := current_setting('provision.migrator_user', true);
  owner text := coalesce(nullif(current_setting('provision.owner', true), ''), current_database() || '_owner');
  known text := current_setting('provision.environments', true);
  name text;
BEGIN
  IF env IS NULL OR env = ANY (string_to_array(known, ',')) IS NOT TRUE THEN
    RAISE EXCEPTION 'provision.environment: is "%"; expected %', env,
      regexp_replace(replace(known, ',', ', '), ', ([^,]*)$', ' or \1') USING ERRCODE = '22023';
  END IF;
  FOREACH name IN ARRAY ARRAY[app, migrator, owner] LOOP
    IF name IS NULL OR name !~ '^[a-z_][a-z0-9_-]{0,62}$' OR name LIKE 'pg\_%' THEN
      RAISE EXCEPTION 'role "%": is not a valid role name; expected lowercase letters, digits, _ and -, 63 at most', name
        USING ERRCODE = '22023';
    END IF;
  END LOOP;
  IF app = migrator OR app = owner OR migrator = owner OR session_user IN (app, migrator, owner) THEN
    RAISE EXCEPTION 'roles %, %, % and %: are not four different roles; expected application, migrator, owner and administrator to differ',
      app, migrator, owner, session_user USING ERRCODE = '22023';
  END IF;
  IF current_database() IN ('postgres', 'template0', 'template1') THEN
    RAISE EXCEPTION 'database "%": is a system database; expected a separate one', current_database()
      USING ERRCODE = '22023';
  END IF;
  PERFORM set_config('provision.owner', owner, true);
END $parameters$;

-- Which environment owns this database? Decided before anything is changed.
DO $claim$
DECLARE
  env text := current_setting('provision.environment');
  may_be_reset boolean := current_setting('provision.may_be_reset', true) IS NOT DISTINCT FROM 'on';
  adopt boolean := current_setting('provision.adopt', true) IS NOT DISTINCT FROM current_database()::text;
  stamp record;
  here record;
  stamped bigint := 0;
  held bigint;
BEGIN
  SELECT d.oid, d.datname::text AS name, c.system_identifier::text AS system INTO here
    FROM pg_database d, pg_control_system() c WHERE d.datname = current_database();

  IF to_regclass('ops.environment') IS NOT NULL THEN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('ops.environment') AND (relkind <> 'r' OR relrowsecurity)) THEN
      RAISE EXCEPTION 'database "%": ops.environment is not a plain table; expected the stamp that provisioning creates', here.name
        USING ERRCODE = '42501', HINT = 'An administrator must find out what this database is and who changed the table.';
    END IF;
    EXECUTE 'SELECT count(*) FROM ops.environment' INTO stamped;
    IF stamped <> 1 THEN
      RAISE EXCEPTION 'database "%": ops.environment has % rows; expected exactly one', here.name, stamped
        USING ERRCODE = '42501', HINT = 'An administrator must find out what this database is and repair the table by hand.';
    END IF;
    EXECUTE 'SELECT environment, system_identifier AS system, database_oid AS oid, database_name AS name FROM ops.environment'
      INTO stamp;
    IF stamp.system = here.system AND stamp.oid = here.oid AND stamp.name = here.name THEN
      IF stamp.environment = env THEN RETURN; END IF;
      RAISE EXCEPTION 'database "%": is stamped %; expected %', here.name, stamp.environment, env
        USING ERRCODE = '42501', HINT = 'No flag overrides this. Correct ENVIRONMENT or the database URL.';
    END IF;
    IF may_be_reset THEN
      RAISE EXCEPTION 'database "%": carries the stamp of another database (%, "%"); expected an empty one or its own stamp',
        here.name, stamp.environment, stamp.name
        USING ERRCODE = '42501', HINT = 'A test database is never adopted: drop it by hand and provision it again.';
    END IF;
    IF stamp.environment <> env THEN
      RAISE EXCEPTION 'database "%": is a copy of % ("%") and contains its user data; expected a copy of %',
        here.name, stamp.environment, stamp.name, env
        USING ERRCODE = '42501', HINT = format('Only a copy of %s can become %s. airlock db refresh fills a database of staging with masked rows of another.', env, env);
    END IF;
    IF NOT adopt THEN
      RAISE EXCEPTION 'database "%": carries the stamp of another database (%, "%"): it was renamed, cloned or restored; expected its own',
        here.name, stamp.environment, stamp.name
        USING ERRCODE = '42501', HINT = format('If it should become %s: airlock db provision --adopt %s', env, here.name);
    END IF;
    RETURN;
  END IF;

  SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\_temp\_%'
             AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
             AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'))
       + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
             AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'))
       + (SELECT count(*) FROM pg_largeobject_metadata)
       -- Below 16384 are the objects that initdb makes.
       + (SELECT count(*) FROM pg_event_trigger) + (SELECT count(*) FROM pg_foreign_data_wrapper) + (SELECT count(*) FROM pg_publication)
       + (SELECT count(*) FROM pg_cast WHERE oid >= 16384)
    INTO held;
  IF held = 0 OR (adopt AND NOT may_be_reset) THEN RETURN; END IF;
  IF may_be_reset THEN
    RAISE EXCEPTION 'database "%": holds % objects and no stamp; expected an empty database', here.name, held
      USING ERRCODE = '42501', HINT = 'A test database is never adopted: drop it by hand and provision it again.';
  END IF;
  RAISE EXCEPTION 'database "%": holds % objects and no stamp; expected an empty database or a stamped one', here.name, held
    USING ERRCODE = '42501', HINT = format(E'If another program made it: airlock db adopt\n  If it is a copy of ours that should become %s: airlock db provision --adopt %s', env, here.name);
END $claim$;

-- Roles. Attributes are set only where they differ: a hosted administrator may not even repeat them.
DO $roles$
DECLARE
  may_be_reset boolean := current_setting('provision.may_be_reset', true) IS NOT DISTINCT FROM 'on';
  owner text := current_setting('provision.owner');
  login record;
  user_of_system text;
  held pg_roles;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = owner) THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN', owner);
  END IF;
  FOR login IN
    SELECT current_setting('provision.app_user') AS name, current_setting('provision.app_password') AS password
    UNION ALL SELECT current_setting('provision.migrator_user'), current_setting('provision.migrator_password')
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login.name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', login.name);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', login.name, login.password);
  END LOOP;
  FOR held IN
    SELECT * FROM pg_roles WHERE rolname IN (owner, current_setting('provision.app_user'), current_setting('provision.migrator_user'))
  LOOP
    IF held.rolsuper THEN EXECUTE format('ALTER ROLE %I NOSUPERUSER', held.rolname); END IF;
    IF held.rolbypassrls THEN EXECUTE format('ALTER ROLE %I NOBYPASSRLS', held.rolname); END IF;
    IF held.rolreplication THEN EXECUTE format('ALTER ROLE %I NOREPLICATION', held.rolname); END IF;
    IF held.rolcreaterole THEN EXECUTE format('ALTER ROLE %I NOCREATEROLE', held.rolname); END IF;
    IF held.rolname = owner AND held.rolcanlogin THEN EXECUTE format('ALTER ROLE %I NOLOGIN', owner); END IF;
    -- Only a test database may be recreated, and only by the owner role, which the reset switches to.
    IF held.rolcreatedb <> (may_be_reset AND held.rolname = owner) THEN
      EXECUTE format('ALTER ROLE %I %s', held.rolname, CASE WHEN held.rolcreatedb THEN 'NOCREATEDB' ELSE 'CREATEDB' END);
    END IF;
  END LOOP;
  EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', owner, current_setting('provision.migrator_user'));
  -- Policies name this role, so it has one name on every server. It gets rights in each database, and its members may
  -- connect only to their own. Without INHERIT its policies do not apply until an application becomes it.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'airlock_system') THEN
    CREATE ROLE airlock_system NOLOGIN;
  END IF;
  IF EXISTS (SELECT FROM pg_roles r LEFT JOIN pg_auth_members m ON m.member = r.oid
              WHERE r.rolname = 'airlock_system' AND (r.rolsuper OR r.rolbypassrls OR r.rolcanlogin OR r.rolcreaterole OR r.rolcreatedb
                OR r.rolreplication OR m.roleid IS NOT NULL)) THEN
    RAISE EXCEPTION 'role "airlock_system": has powers, may log in or is a member of a role; expected a role with none of these'
      USING ERRCODE = '42501', HINT = 'An administrator must find out who changed the role, and repair it by hand.';
  END IF;
  -- The migrator becomes it for a backfill of rows of all users.
  FOREACH user_of_system IN ARRAY ARRAY[current_setting('provision.app_user'), current_setting('provision.migrator_user')] LOOP
    IF EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = 'airlock_system'::regrole AND m.set_option AND NOT m.inherit_option
                  AND m.member = to_regrole(quote_ident(user_of_system))) THEN
      CONTINUE;
    END IF;
    BEGIN
      EXECUTE format('GRANT airlock_system TO %I WITH INHERIT FALSE, SET TRUE', user_of_system);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION 'role "airlock_system": was created by another administrator of this server; expected the right to grant it'
        USING ERRCODE = '42501', HINT = format('That administrator runs: GRANT airlock_system TO %I WITH ADMIN OPTION', current_user);
    END;
  END LOOP;
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', owner, current_user);
  END IF;
  IF pg_has_role(current_setting('provision.app_user'), owner, 'MEMBER') THEN
    RAISE EXCEPTION 'role "%": is a member of "%"; expected an application role that cannot change the schema',
      current_setting('provision.app_user'), owner USING ERRCODE = '42501';
  END IF;
END $roles$;

-- The objects of an adopted database belong to the owner of the original or to the role that restored it. The migrator
-- can only change objects of its own owner role. Objects that belong to a table or to an extension follow it.
DO $objects$
DECLARE
  owner text := current_setting('provision.owner');
  given text;
BEGIN
  IF current_setting('provision.adopt', true) IS DISTINCT FROM current_database()::text THEN RETURN; END IF;
  EXECUTE format('GRANT CREATE, USAGE ON SCHEMA public TO %I', owner);
  IF to_regnamespace('ops') IS NOT NULL THEN EXECUTE format('GRANT CREATE, USAGE ON SCHEMA ops TO %I', owner); END IF;
  -- The queues, which a migration creates.
  IF to_regnamespace('jobs') IS NOT NULL THEN
    EXECUTE format('GRANT CREATE, USAGE ON SCHEMA jobs TO %I', owner);
    EXECUTE format('ALTER SCHEMA jobs OWNER TO %I', owner);
  END IF;
  FOR given IN
    WITH things AS (
      SELECT 'pg_class'::regclass AS class, c.oid, c.relnamespace AS space, c.relowner AS holder, c.oid::regclass::text AS name,
             CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                            WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
        FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.oid IS DISTINCT FROM to_regclass('ops.environment')
         AND c.oid IS DISTINCT FROM to_regclass('ops.system_uses')
      UNION ALL
      SELECT 'pg_proc'::regclass, oid, pronamespace, proowner, oid::regprocedure::text, 'ROUTINE'
        FROM pg_proc WHERE pronamespace IS DISTINCT FROM to_regnamespace('ops')
      UNION ALL
      SELECT 'pg_type'::regclass, oid, typnamespace, typowner, oid::regtype::text, 'TYPE'
        FROM pg_type WHERE typtype IN ('e', 'd', 'r')
    )
    SELECT format('ALTER %s %s OWNER TO %I', t.kind, t.name, owner) FROM things t
     WHERE t.space IN ('public'::regnamespace, to_regnamespace('ops'), to_regnamespace('jobs')) AND t.holder <> to_regrole(quote_ident(owner))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = t.class AND d.objid = t.oid AND d.deptype IN ('a', 'e', 'i')
                         AND (d.deptype = 'e' OR t.kind = 'SEQUENCE'))
  LOOP
    EXECUTE given;
  END LOOP;
END $objects$;

-- The database and its schema: PUBLIC gets nothing, the application gets the rows, the owner gets the schema.
DO $grants$
DECLARE
  owner text := current_setting('provision.owner');
  app text := current_setting('provision.app_user');
  migrator text := current_setting('provision.migrator_user');
  given text;
BEGIN
  -- A test database belongs to its owner role. An administrator without superuser rights must be a member of it for
  -- that.
  IF (SELECT datdba = to_regrole(quote_ident(owner)) FROM pg_database WHERE datname = current_database()) THEN
    EXECUTE format('SET LOCAL ROLE %I', owner);
  END IF;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), app);
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), migrator);
  EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO %I', current_database(), owner);
  RESET ROLE;
  IF (SELECT nspowner <> to_regrole(quote_ident(owner)) FROM pg_namespace WHERE nspname = 'public') THEN
    EXECUTE format('ALTER SCHEMA public OWNER TO %I', owner);
  END IF;
  IF to_regnamespace('ops') IS NULL THEN CREATE SCHEMA ops; END IF;
  REVOKE ALL ON SCHEMA ops FROM PUBLIC;
  -- Schema ops also contains the migrator's ledger. Its owner may add tables, but only the owner of the schema may drop
  -- the stamp.
  -- The role of the system keeps and removes files of users in its transactions, as the application does.
  EXECUTE format('GRANT USAGE ON SCHEMA ops TO %I, %I, airlock_system', app, migrator);
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA ops TO %I', owner);

  EXECUTE format('SET LOCAL ROLE %I', owner);
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
  EXECUTE format('GRANT USAGE ON SCHEMA public TO %I, %I, airlock_system', app, migrator);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I, airlock_system', app);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %I, airlock_system', app);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO %I, airlock_system', app);
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  -- To rotate a password, a second application role is added beside the first. It gets the same rights on existing
  -- objects, as does the role of the system in a database that was provisioned without it.
  FOR given IN
    WITH earlier AS (
      SELECT DISTINCT a.grantee FROM pg_default_acl d, aclexplode(d.defaclacl) a
       WHERE d.defaclnamespace = 'public'::regnamespace
         AND a.grantee NOT IN (0, 'airlock_system'::regrole, to_regrole(quote_ident(app)), to_regrole(quote_ident(owner)))
    ), things AS (
      SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, oid::regclass::text AS name, relowner AS holder, relacl AS acl
        FROM pg_class WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('jobs')) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      UNION ALL
      SELECT 'ROUTINE', oid::regprocedure::text, proowner, proacl FROM pg_proc
       WHERE pronamespace IN ('public'::regnamespace, to_regnamespace('jobs'))
      UNION ALL
      SELECT 'SCHEMA', nspname, nspowner, nspacl FROM pg_namespace WHERE nspname = 'jobs'
    )
    SELECT DISTINCT format('GRANT %s ON %s %s TO %I', a.privilege_type, t.kind, t.name, app)
      FROM things t, aclexplode(t.acl) a, earlier e
     WHERE t.holder = to_regrole(quote_ident(owner)) AND a.grantee = e.grantee
    UNION
    SELECT format('GRANT %s ON %s %s TO airlock_system', a.privilege_type, t.kind, t.name)
      FROM things t, aclexplode(t.acl) a
     WHERE t.holder = to_regrole(quote_ident(owner)) AND a.grantee = to_regrole(quote_ident(app))
  LOOP
    EXECUTE given;
  END LOOP;
  RESET ROLE;
END $grants$;

-- Processes of the original and of the copy may share a Redis, where the generation identifies the rows that they
-- cache.
DO $cache$
BEGIN
  IF current_setting('provision.adopt', true) IS DISTINCT FROM current_database()::text THEN RETURN; END IF;
  IF to_regclass('ops.read_cache') IS NULL THEN RETURN; END IF;
  EXECUTE format('SET LOCAL ROLE %I', current_setting('provision.owner'));
  -- The server is kept: a process that still has a lease is waited for.
  UPDATE ops.read_cache SET generation = gen_random_uuid(), is_open = false;
  RESET ROLE;
END $cache$;

-- Grants and default grants of an adopted database to the roles of its original are revoked.
DO $strangers$
DECLARE
  given text;
BEGIN
  IF current_setting('provision.adopt', true) IS DISTINCT FROM current_database()::text THEN RETURN; END IF;
  -- The event trigger is part of the copy and takes the end of a default for a drop. It is created again below if
  -- needed.
  DROP EVENT TRIGGER IF EXISTS airlock_refuse_drop;
  FOR given IN
    WITH ours AS (
      SELECT oid FROM pg_roles WHERE rolname IN ('airlock_system', current_setting('provision.owner'),
        current_setting('provision.app_user'), current_setting('provision.migrator_user'), session_user, current_user)
    ), things AS (
      SELECT 'SCHEMA' AS kind, quote_ident(nspname) AS name, nspacl AS acl FROM pg_namespace WHERE nspname IN ('public', 'ops', 'jobs')
      UNION ALL
      SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass::text, relacl
        FROM pg_class
       WHERE relnamespace IN ('public'::regnamespace, 'ops'::regnamespace, to_regnamespace('jobs')) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      UNION ALL
      SELECT 'ROUTINE', oid::regprocedure::text, proacl FROM pg_proc
       WHERE pronamespace IN ('public'::regnamespace, 'ops'::regnamespace, to_regnamespace('jobs'))
    ), defaults AS (
      SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s', d.defaclrole::regrole::text,
               CASE d.defaclnamespace WHEN 0 THEN '' ELSE 'IN SCHEMA ' || quote_ident(d.defaclnamespace::regnamespace::text) END) AS scope,
             CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
                                  WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS kind, d.*
        FROM pg_default_acl d WHERE d.defaclrole NOT IN (SELECT oid FROM ours)
    )
    SELECT DISTINCT format('REVOKE ALL ON %s %s FROM %I', t.kind, t.name, a.grantee::regrole::text)
      FROM things t, aclexplode(t.acl) a WHERE a.grantee <> 0 AND a.grantee NOT IN (SELECT oid FROM ours)
    UNION ALL
    SELECT DISTINCT format('%s REVOKE ALL ON %s FROM %s', scope, kind,
                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(a.grantee::regrole::text) END)
      FROM defaults, aclexplode(defaclacl) a WHERE defaclnamespace <> 0
    UNION ALL
    SELECT format('%s GRANT EXECUTE ON FUNCTIONS TO PUBLIC', scope) FROM defaults WHERE defaclnamespace = 0 AND defaclobjtype = 'f'
  LOOP
    EXECUTE given;
  END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'database "%": "%" may not revoke what it grants to the roles of the database it was copied from; expected a superuser, or a member of those roles',
    current_database(), session_user;
END $strangers$;

-- The stamp. Its table belongs to the administrator: neither the application nor the migrator can write it.
CREATE TABLE IF NOT EXISTS ops.environment (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  environment text NOT NULL,
  system_identifier text NOT NULL,
  database_oid oid NOT NULL,
  database_name text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
DO $known$
DECLARE
  held text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint
                 WHERE conrelid = 'ops.environment'::regclass AND conname = 'environment_environment_check');
BEGIN
  -- A copy may be older than this environment.
  IF strpos(held, quote_literal(current_setting('provision.environment'))) > 0 THEN RETURN; END IF;
  ALTER TABLE ops.environment DROP CONSTRAINT IF EXISTS environment_environment_check;
  EXECUTE format('ALTER TABLE ops.environment ADD CONSTRAINT environment_environment_check CHECK (environment IN (%s))',
    (SELECT string_agg(quote_literal(one), ', ' ORDER BY n)
       FROM unnest(string_to_array(current_setting('provision.environments'), ',')) WITH ORDINALITY AS listed (one, n)));
END $known$;
INSERT INTO ops.environment AS stamp (environment, system_identifier, database_oid, database_name, created_by)
  SELECT current_setting('provision.environment'), c.system_identifier::text, d.oid, d.datname, session_user
  FROM pg_database d, pg_control_system() c WHERE d.datname = current_database()
ON CONFLICT (only_row) DO UPDATE
  SET environment = excluded.environment, system_identifier = excluded.system_identifier,
      database_oid = excluded.database_oid, database_name = excluded.database_name,
      created_by = excluded.created_by, created_at = excluded.created_at
  WHERE (stamp.environment, stamp.system_identifier, stamp.database_oid, stamp.database_name)
    IS DISTINCT FROM (excluded.environment, excluded.system_identifier, excluded.database_oid, excluded.database_name);

-- Every use of the system's access, written before it begins. The application can add to it, and not read or change it.
CREATE TABLE IF NOT EXISTS ops.system_uses (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  begun_at timestamptz NOT NULL DEFAULT now(),
  service text NOT NULL,
  reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 200),
  user_id text,
  request_id text
);

-- A backfill waits while a replica lags behind. The server shows that to its administrators alone.
DO $lag$
BEGIN
  IF to_regprocedure('ops.replica_lag()') IS NULL THEN
    -- No position: a receiver that replays nothing, such as an archiver. No state either: it may not be seen.
    CREATE FUNCTION ops.replica_lag() RETURNS TABLE (name text, is_hidden boolean, lag_ms float8, lag_bytes float8)
      LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $body$
        SELECT coalesce(nullif(application_name, ''), 'pid ' || pid), state IS NULL,
               1000 * extract(epoch FROM replay_lag)::float8,
               pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)::float8
          FROM pg_catalog.pg_stat_replication WHERE state IS NULL OR replay_lsn IS NOT NULL
      $body$;
    REVOKE ALL ON FUNCTION ops.replica_lag() FROM PUBLIC;
  END IF;
  EXECUTE format('GRANT EXECUTE ON FUNCTION ops.replica_lag() TO %I', current_setting('provision.owner'));
END $lag$;

DO $readers$
BEGIN
  EXECUTE format('GRANT INSERT (service, reason, user_id, request_id) ON ops.system_uses TO %I', current_setting('provision.app_user'));
  EXECUTE format('GRANT SELECT, INSERT (service, reason, user_id, request_id) ON ops.system_uses TO %I', current_setting('provision.owner'));
  EXECUTE format('GRANT SELECT ON ops.environment TO %I, %I, %I', current_setting('provision.app_user'),
    current_setting('provision.migrator_user'), current_setting('provision.owner'));
END $readers$;

-- The same identity in the server's shared catalogue, where sessions of other databases can read it and no clone copies
-- it. Custom settings would work too, but only a superuser may set them.
DO $seal$
DECLARE
  owner text := current_setting('provision.owner');
  seal text := (SELECT format('airlock %s on %s as %s', environment, system_identifier, database_oid) FROM ops.environment);
BEGIN
  IF (SELECT datdba = to_regrole(quote_ident(owner)) FROM pg_database WHERE datname = current_database()) THEN
    EXECUTE format('SET LOCAL ROLE %I', owner);
  END IF;
  EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), seal);
  RESET ROLE;
END $seal$;

-- A role that is not an administrator recreates a test database from its template. Only there the owner role owns the
-- database itself, and a new clone may be stamped. The function binds a testing stamp of this server to the database
-- that contains it, if the name belongs to the same family. It cannot turn any other database into a test database.
DO $testing$
DECLARE
  owner text := current_setting('provision.owner');
BEGIN
  IF current_setting('provision.may_be_reset', true) IS DISTINCT FROM 'on' THEN RETURN; END IF;
  EXECUTE format($function$
  CREATE OR REPLACE FUNCTION ops.restamp(as_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $body$
  DECLARE
    stamp ops.environment;
    here record;
    minted constant text := '(_tpl|_[0-9a-f]{8})$';
  BEGIN
    SELECT * INTO STRICT stamp FROM ops.environment;
    SELECT d.oid, d.datname::text AS name, c.system_identifier::text AS system INTO here
      FROM pg_catalog.pg_database d, pg_catalog.pg_control_system() c WHERE d.datname = pg_catalog.current_database();
    IF stamp.environment <> %L OR stamp.system_identifier <> here.system
       OR pg_catalog.regexp_replace(stamp.database_name, minted, '') <> pg_catalog.regexp_replace(here.name, minted, '')
       OR pg_catalog.regexp_replace(as_name, minted, '') <> pg_catalog.regexp_replace(here.name, minted, '') THEN
      RAISE EXCEPTION 'database "%%": carries the stamp of %% database "%%"; expected a clone of its own template',
        here.name, stamp.environment, stamp.database_name USING ERRCODE = '42501';
    END IF;
    UPDATE ops.environment SET database_oid = here.oid, database_name = as_name,
      created_by = session_user, created_at = pg_catalog.now();
  END $body$ $function$, current_setting('provision.environment'));
  REVOKE ALL ON FUNCTION ops.restamp(text) FROM PUBLIC;
  EXECUTE format('GRANT EXECUTE ON FUNCTION ops.restamp(text) TO %I', owner);
  IF (SELECT datdba <> to_regrole(quote_ident(owner)) FROM pg_database WHERE datname = current_database()) THEN
    EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), owner);
  END IF;
  -- The change of owner also removed the administrator's own rights; the next run needs them.
  EXECUTE format('SET LOCAL ROLE %I', owner);
  EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO %I', current_database(), session_user);
  RESET ROLE;
END $testing$;

-- Unless the database is disposable, only the migrator may drop anything, not even a superuser. Objects that hold or
-- protect rows can only be dropped in a transaction with SET LOCAL ops.allow_drop = 'on', as in a contract migration.
DO $drops$
BEGIN
  IF current_setting('provision.is_disposable', true) IS NOT DISTINCT FROM 'on' THEN
    DROP FUNCTION IF EXISTS ops.refuse_drop();
    RETURN;
  END IF;
  EXECUTE format($function$
    CREATE OR REPLACE FUNCTION ops.refuse_drop() RETURNS event_trigger LANGUAGE plpgsql SET search_path = '' AS $body$
    DECLARE
      dropped record;
      is_migrator constant boolean := session_user = %L;
      is_allowed constant boolean := pg_catalog.current_setting('ops.allow_drop', true) IS NOT DISTINCT FROM 'on';
    BEGIN
      FOR dropped IN
        SELECT object_type, object_identity FROM pg_catalog.pg_event_trigger_dropped_objects()
        WHERE original AND NOT is_temporary
          AND NOT (is_migrator AND (is_allowed OR object_type <> ALL (ARRAY['schema', 'table', 'table column',
            'materialized view', 'foreign table', 'sequence', 'type', 'policy', 'extension'])))
      LOOP
        RAISE EXCEPTION '%% %%: cannot be dropped in %%; expected the migrator, in a contract migration',
          dropped.object_type, dropped.object_identity, %L
          USING ERRCODE = '42501', HINT = 'Write a contract migration: airlock new migration NAME --contract';
      END LOOP;
    END $body$ $function$, current_setting('provision.migrator_user'), current_setting('provision.environment'));
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'airlock_refuse_drop') THEN
    CREATE EVENT TRIGGER airlock_refuse_drop ON sql_drop EXECUTE FUNCTION ops.refuse_drop();
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'event trigger: role "%" may not create one, so drops in % are NOT refused; expected a superuser or the equivalent role of your provider (rds_superuser, cloudsqlsuperuser …)',
    session_user, current_setting('provision.environment');
END $drops$;
