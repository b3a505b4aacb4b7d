import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { assertServerUnchanged } from './shared-roles.js';

/**
 * Restores the rows of a database after code that commits. A table has changed when it has another number of rows, or a
 * row written since the last restore. No trigger and no other change of the schema is needed, so a test cannot notice
 * it. Only changed tables are emptied and refilled, with foreign keys and triggers disabled.
 */
export class ChangedRows {
  readonly #client: Client;
  readonly #restoreServer: () => Promise<string[]>;

  private constructor(client: Client, restoreServer: () => Promise<string[]>) {
    this.#client = client;
    this.#restoreServer = restoreServer;
  }

  /**
   * @param client a session of an administrator, open as long as the database is lent: it has the copies
   * @param restoreServer restores what all databases share, and returns the changes
   */
  static async remember(client: Client, restoreServer: () => Promise<string[]>): Promise<ChangedRows> {
    await client.query(REMEMBER_SQL);
    return new ChangedRows(client, restoreServer);
  }

  /** Takes a new copy if hooks have changed the schema: later tests start from their result. */
  async rememberHooks(): Promise<void> {
    const { rows } = await this.#client.query<{ schema: string | null }>(
      'SELECT pg_temp.find_schema_change() AS schema',
    );
    if (rows[0]?.schema == null) return;
    await this.#client.query('DISCARD TEMP');
    await this.#client.query(REMEMBER_SQL);
  }

  /**
   * @returns the tables that had changed
   * @throws if a session has left a transaction open, which is ended here, if the schema has changed, which cannot be
   * restored, or if the server has changed
   */
  async restore(): Promise<string[]> {
    await this.#endOpenTransactions();
    const { rows } = await this.#client.query<{ changed: string[]; schema: string | null }>(
      'SELECT pg_temp.restore_rows() AS changed, pg_temp.find_schema_change() AS schema',
    );
    const [{ changed = [], schema = null } = {}] = rows;
    assertServerUnchanged(await this.#restoreServer());
    if (schema === null) return changed;
    throw new Error(
      `test database: the test changed the schema (${schema}), and later tests would see the change; ` +
        "expected isolation: 'clone' or withTestDatabase",
    );
  }

  /**
   * Rows that it commits later would appear in another test, and its locks prevent the restore. A transaction that is
   * ending, such as that of a request whose client has gone, gets time to end.
   */
  async #endOpenTransactions(): Promise<void> {
    const seen = new Map<string, number>();
    let left: Transaction[] = [];
    for (const start = performance.now(); left.length === 0 && performance.now() - start < 2 * ENDING_MS;) {
      const now = performance.now();
      const open = await this.#listTransactions();
      if (open.length === 0) return;
      for (const { id } of open) if (!seen.has(id)) seen.set(id, now);
      left = open.filter(({ id, isLeft }) => isLeft && now - (seen.get(id) ?? now) >= ENDING_MS);
      await sleep(POLL_MS);
    }
    if (left.length === 0) return;
    await this.#client.query('SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid', [
      left.map(({ pid }) => pid),
    ]);
    // Once the sessions have ended, their uncommitted rows are gone too.
    await this.restore();
    throw new Error(
      `test database: the test left a transaction open (${left.map(({ name, query }) => `${name}: ${query}`).join('; ')}), ` +
        'and its session was ended; expected COMMIT or ROLLBACK before the test ends',
    );
  }

  async #listTransactions(): Promise<Transaction[]> {
    return (await this.#client.query<Transaction>(TRANSACTIONS_SQL)).rows;
  }
}

interface Transaction {
  readonly id: string;
  readonly pid: number;
  readonly name: string;
  readonly query: string;
  /**
   * The session waits for its client, or has written. A client may receive an error while its session still counts as
   * active.
   */
  readonly isLeft: boolean;
}

const ENDING_MS = 5_000;
const POLL_MS = 20;
const TRANSACTIONS_SQL = `
SELECT concat_ws(' ', pid, coalesce(xact_start, state_change)) AS id, pid, application_name AS name, left(query, 200) AS query,
       state LIKE 'idle in transaction%' OR backend_xid IS NOT NULL AS "isLeft"
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND state IS DISTINCT FROM 'idle'`;

const REMEMBER_SQL = `
SET client_min_messages = warning;
CREATE TEMP TABLE mark AS SELECT pg_current_xact_id()::xid AS written_before;
CREATE TEMP TABLE remembered (relation regclass, copy text, columns text, rows bigint);
CREATE TEMP TABLE remembered_sequence (sequence regclass, last_value bigint, is_called boolean);

CREATE FUNCTION pg_temp.list_schema() RETURNS TABLE (what text, how text) LANGUAGE sql AS $$
  WITH lasting AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
  ), relation AS (
    SELECT * FROM pg_class WHERE relnamespace IN (SELECT oid FROM lasting)
  )
  SELECT 'schema ' || nspname, concat_ws(' ', nspowner, nspacl) FROM lasting
  UNION ALL SELECT 'relation ' || oid::regclass,
                   concat_ws(' ', relkind, relowner, relacl, relrowsecurity, relforcerowsecurity, reloptions) FROM relation
  UNION ALL SELECT format('column %s.%s', attrelid::regclass, attname),
                   concat_ws(' ', atttypid, atttypmod, attnotnull, attidentity, attgenerated, attacl)
              FROM pg_attribute WHERE attrelid IN (SELECT oid FROM relation) AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT 'default of ' || adrelid::regclass, pg_get_expr(adbin, adrelid) FROM pg_attrdef
             WHERE adrelid IN (SELECT oid FROM relation)
  UNION ALL SELECT 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index
             WHERE indrelid IN (SELECT oid FROM relation)
  UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
             WHERE connamespace IN (SELECT oid FROM lasting)
  UNION ALL SELECT 'trigger ' || tgname, concat_ws(' ', tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger
             WHERE tgrelid IN (SELECT oid FROM relation)
  UNION ALL SELECT 'policy ' || polname,
                   concat_ws(' ', polcmd, polroles, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
              FROM pg_policy
  UNION ALL SELECT 'rule ' || rulename, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relation)
  UNION ALL SELECT 'function ' || oid::regprocedure, concat_ws(' ', prosrc, prosqlbody, proconfig, proacl, prosecdef)
              FROM pg_proc WHERE pronamespace IN (SELECT oid FROM lasting)
  UNION ALL SELECT 'type ' || oid::regtype, concat_ws(' ', typtype, typowner, typacl, typnotnull, typdefault) FROM pg_type
             WHERE typnamespace IN (SELECT oid FROM lasting)
  UNION ALL SELECT 'type ' || enumtypid::regtype, enumlabel FROM pg_enum
  UNION ALL SELECT 'extension ' || extname, concat_ws(' ', extversion, extnamespace) FROM pg_extension
  UNION ALL SELECT 'event trigger ' || evtname, concat_ws(' ', evtenabled, evtfoid) FROM pg_event_trigger
  UNION ALL SELECT 'sequence ' || seqrelid::regclass,
                   concat_ws(' ', seqtypid, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle) FROM pg_sequence
  UNION ALL SELECT 'default privileges', concat_ws(' ', defaclrole, defaclnamespace, defaclobjtype, defaclacl) FROM pg_default_acl
  UNION ALL SELECT 'publication ' || pubname, to_jsonb(p)::text FROM pg_publication p
  UNION ALL SELECT 'publication ' || pubname, tablename FROM pg_publication_tables
  UNION ALL SELECT concat('comment on ', (i).type, ' ', (i).identity), description
              FROM (SELECT pg_identify_object(classoid, objoid, objsubid) AS i, description FROM pg_description WHERE objoid >= 16384) c
  UNION ALL SELECT concat('security label on ', objoid), label FROM pg_seclabel
  UNION ALL SELECT 'large object ' || oid, concat_ws(' ', lomowner, lomacl,
                   (SELECT md5(string_agg(md5(data), '' ORDER BY pageno)) FROM pg_largeobject WHERE loid = m.oid)) FROM pg_largeobject_metadata m
  UNION ALL SELECT 'rows of ' || oid::regclass,
                   query_to_xml(format('SELECT md5(string_agg(r::text, chr(10) ORDER BY r::text)) FROM %s r', oid::regclass), true, false, '')::text
              FROM relation WHERE relkind = 'm' AND relispopulated
  UNION ALL SELECT 'statistics ' || stxname, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
  UNION ALL SELECT 'cast ' || oid, concat_ws(' ', castsource, casttarget, castfunc) FROM pg_cast WHERE oid >= 16384
  UNION ALL SELECT 'operator ' || oid::regoperator, oprcode::text FROM pg_operator WHERE oid >= 16384
  UNION ALL SELECT 'foreign server ' || srvname, concat_ws(' ', srvowner, srvoptions, srvacl) FROM pg_foreign_server
  UNION ALL SELECT 'settings', setconfig::text FROM pg_db_role_setting
             WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;
CREATE FUNCTION pg_temp.hash_schema() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(concat_ws(E'\\n', what, how), E'\\n' ORDER BY what, how)) FROM pg_temp.list_schema()
$$;
CREATE TEMP TABLE remembered_schema AS SELECT what, how FROM pg_temp.list_schema();
ALTER TABLE mark ADD COLUMN schema_hash text;
UPDATE mark SET schema_hash = pg_temp.hash_schema();

CREATE FUNCTION pg_temp.find_schema_change() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT schema_hash FROM mark) = pg_temp.hash_schema() THEN RETURN NULL; END IF;
  CREATE TEMP TABLE found_schema ON COMMIT DROP AS SELECT what, how FROM pg_temp.list_schema();
  RETURN (SELECT string_agg(DISTINCT what, ', ') FROM (
    (TABLE found_schema EXCEPT TABLE remembered_schema) UNION ALL (TABLE remembered_schema EXCEPT TABLE found_schema)
  ) AS change);
END $$;

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
