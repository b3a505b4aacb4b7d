import type { Client } from 'pg';

/**
 * Puts a database back to what it held, after code that commits. A table has changed when it holds a row written later
 * than the last time, or another number of rows: no trigger, nothing in the schema that a test could notice. Only changed
 * tables are emptied and refilled; foreign keys and triggers rest meanwhile.
 */
export class ChangedRows {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** @param client a session of an administrator, kept for as long as the database is lent: it holds the copies */
  static async remember(client: Client): Promise<ChangedRows> {
    await client.query(REMEMBER_SQL);
    return new ChangedRows(client);
  }

  /**
   * @returns the tables that had changed
   * @throws where the schema has changed, which no row can put back
   */
  async restore(): Promise<string[]> {
    const { rows } = await this.#client.query<{ changed: string[]; schema: string | null }>(
      'SELECT pg_temp.restore_rows() AS changed, pg_temp.find_schema_change() AS schema',
    );
    const [{ changed = [], schema = null } = {}] = rows;
    if (schema === null) return changed;
    throw new Error(
      `test database: the test changed the schema (${schema}), and the tests after it would see that; ` +
        "expected isolation: 'clone' or withTestDatabase",
    );
  }
}

const REMEMBER_SQL = `
SET client_min_messages = warning;
CREATE TEMP TABLE mark AS SELECT pg_current_xact_id()::xid AS written_before;
CREATE TEMP TABLE remembered (relation regclass, copy text, columns text, rows bigint);
CREATE TEMP TABLE remembered_sequence (sequence regclass, last_value bigint, is_called boolean);

CREATE FUNCTION pg_temp.list_schema() RETURNS TABLE (what text) LANGUAGE sql AS $$
  WITH lasting AS (
    SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
  ), relation AS (
    SELECT oid, xmin FROM pg_class WHERE relnamespace IN (SELECT oid FROM lasting)
  )
  SELECT format('schema %s %s', oid::regnamespace, xmin) FROM pg_namespace WHERE oid IN (SELECT oid FROM lasting)
  UNION ALL SELECT format('relation %s %s', oid::regclass, xmin) FROM relation
  UNION ALL SELECT format('column %s.%s %s', attrelid::regclass, attname, xmin) FROM pg_attribute
             WHERE attrelid IN (SELECT oid FROM relation)
  UNION ALL SELECT format('default of %s %s', adrelid::regclass, xmin) FROM pg_attrdef
  UNION ALL SELECT format('constraint %s %s', conname, xmin) FROM pg_constraint WHERE connamespace IN (SELECT oid FROM lasting)
  UNION ALL SELECT format('trigger %s %s', tgname, xmin) FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relation)
  UNION ALL SELECT format('policy %s %s', polname, xmin) FROM pg_policy
  UNION ALL SELECT format('rule %s %s', rulename, xmin) FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relation)
  UNION ALL SELECT format('function %s %s', oid::regproc, xmin) FROM pg_proc WHERE pronamespace IN (SELECT oid FROM lasting)
  UNION ALL SELECT format('type %s %s', oid::regtype, xmin) FROM pg_type WHERE typnamespace IN (SELECT oid FROM lasting)
  UNION ALL SELECT format('extension %s %s', extname, xmin) FROM pg_extension
  UNION ALL SELECT format('event trigger %s %s', evtname, xmin) FROM pg_event_trigger
  UNION ALL SELECT format('settings %s %s', setrole::regrole, xmin) FROM pg_db_role_setting
             WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;
CREATE TEMP TABLE remembered_schema AS SELECT what FROM pg_temp.list_schema();

CREATE FUNCTION pg_temp.find_schema_change() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT regexp_replace(what, ' \\d+$', ''), ', ') FROM (
    (SELECT what FROM pg_temp.list_schema() EXCEPT SELECT what FROM remembered_schema)
    UNION ALL
    (SELECT what FROM remembered_schema EXCEPT SELECT what FROM pg_temp.list_schema())
  ) AS change
$$;

DO $$
DECLARE
  t record;
  held bigint;
BEGIN
  FOR t IN
    SELECT c.oid::regclass AS relation, 'pg_temp.copy_' || c.oid AS copy, c.relkind,
           (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'S') AND c.relpersistence IN ('p', 'u')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  LOOP
    IF t.relkind = 'S' THEN
      EXECUTE format('INSERT INTO remembered_sequence SELECT %L::regclass, last_value, is_called FROM %s', t.relation, t.relation);
      CONTINUE;
    END IF;
    EXECUTE format('SELECT count(*) FROM %s', t.relation) INTO held;
    IF held > 0 THEN
      EXECUTE format('CREATE TEMP TABLE %s AS SELECT %s FROM %s', replace(t.copy, 'pg_temp.', ''), t.columns, t.relation);
    END IF;
    INSERT INTO remembered VALUES (t.relation, t.copy, t.columns, held);
  END LOOP;
END $$;

CREATE FUNCTION pg_temp.restore_rows() RETURNS text[] LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
  t remembered;
  s remembered_sequence;
  before xid := (SELECT written_before FROM mark);
  has_changed boolean;
  changed text[] := '{}';
BEGIN
  FOR t IN SELECT * FROM remembered LOOP
    EXECUTE format('SELECT count(*) <> %s OR coalesce(bool_or(age(xmin) < age(%L::xid)), false) FROM %s',
                   t.rows, before, t.relation) INTO has_changed;
    CONTINUE WHEN NOT has_changed;
    changed := changed || t.relation::text;
    EXECUTE format('DELETE FROM %s', t.relation);
    IF t.rows > 0 THEN
      EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT * FROM %s', t.relation, t.columns, t.copy);
    END IF;
  END LOOP;
  FOR s IN SELECT * FROM remembered_sequence LOOP
    PERFORM setval(s.sequence, s.last_value, s.is_called);
  END LOOP;
  UPDATE mark SET written_before = pg_current_xact_id()::xid;
  RETURN changed;
END $$;
`;
