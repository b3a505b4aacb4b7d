import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readCatalogue } from '../drift/catalogue.js';
import { ask, runAs } from '../provision/provision.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';
import { sampleModel } from '../sample/sample-model.js';
import { createDatabase, dump, inside, nextName, type RefreshModel, runRefresh } from './refresh.fixture.js';

let cluster: Cluster;
let original: ProvisionOptions;
let target: ProvisionOptions;
let remote: string;
let model: RefreshModel;
let expected: string[];

/** User data, planted where it could survive: in rows, in an index, in statistics. */
const ROWS = `INSERT INTO parcels (owner_id, name, attributes)
    SELECT CASE n % 2 WHEN 0 THEN 'user_cAnArYowner' ELSE 'user_other' END, 'cAnArYname ' || n, '{"note": "cAnArYattribute"}'
      FROM generate_series(1, 40) n; ANALYZE parcels`;

beforeAll(async () => {
  cluster = await startScratchCluster();
  model = { migrations: sampleModel.migrations, classes: await sampleModel.loadClasses() };
  original = await createDatabase(cluster, { environment: 'production', model, sql: ROWS });
  target = await createDatabase(cluster, { environment: 'staging', model });
  expected = await readSchema(target);
  remote = nextName();
  await runAs(cluster.superuser, (admin) => admin.query(`CREATE DATABASE ${remote}`));
  await runAs({ ...cluster.superuser, database: remote }, (client) =>
    client.query(`CREATE TABLE people AS SELECT 'cAnArY ' || n AS name FROM generate_series(1, 3) n`),
  );
}, 60_000);
afterAll(() => cluster.stop());

const readSchema = (options: ProvisionOptions) =>
  runAs(inside(options), (client) =>
    readCatalogue(client, { app: options.app.user, migrator: options.migration.user }),
  );

/** A copy that an administrator has restored, with the stamp of production. */
async function restore(): Promise<ProvisionOptions> {
  const name = nextName();
  await runAs(original.admin, (admin) =>
    admin.query(`CREATE DATABASE ${name} TEMPLATE ${original.app.database} STRATEGY FILE_COPY`),
  );
  return { ...original, app: { ...original.app, database: name } };
}

/** The parts of the statements that need a server. */
const complete = (sql: string) => {
  const { host, port, user, password } = cluster.superuser;
  return sql
    .replaceAll(':address', `host '${host}', port '${port}', dbname '${remote}'`)
    .replaceAll(':login', `user '${user}', password '${password.reveal()}'`);
};

const WRAPPER = `CREATE EXTENSION postgres_fdw SCHEMA public;
  CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (:address);
  CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (:login)`;
const AUDIT = `CREATE TABLE audit (old text); CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.audit SELECT OLD::text; RETURN NEW; END $$`;
const CALLED = `CREATE FUNCTION spy(v text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT v $$`;

/** Everything that a database can hold beside the rows that its classes let through. */
const planted: readonly (readonly [title: string, sql: string])[] = [
  [
    'a foreign table, its server and its password',
    `${WRAPPER}; CREATE FOREIGN TABLE people (name text) SERVER elsewhere`,
  ],
  [
    'a foreign table that is a partition',
    `${WRAPPER}; CREATE TABLE all_people (name text) PARTITION BY LIST (name);
      CREATE FOREIGN TABLE people PARTITION OF all_people DEFAULT SERVER elsewhere`,
  ],
  ['dblink', 'CREATE EXTENSION dblink SCHEMA public'],
  ['a foreign-data wrapper alone', 'CREATE FOREIGN DATA WRAPPER bare'],
  ['a file of the server', 'CREATE EXTENSION file_fdw SCHEMA public'],
  ['an extension that only adds a type', 'CREATE EXTENSION hstore SCHEMA public'],
  [
    'a row trigger that keeps the old row',
    `${AUDIT}; CREATE TRIGGER audit BEFORE UPDATE ON parcels FOR EACH ROW EXECUTE FUNCTION audit()`,
  ],
  [
    'a statement trigger, disabled',
    `${AUDIT}; CREATE TRIGGER audit AFTER UPDATE ON parcels EXECUTE FUNCTION audit(); ALTER TABLE parcels DISABLE TRIGGER ALL`,
  ],
  [
    'a constraint trigger on a table that is kept',
    `${AUDIT}; CREATE CONSTRAINT TRIGGER audit AFTER INSERT ON audit DEFERRABLE FOR EACH ROW EXECUTE FUNCTION audit()`,
  ],
  [
    'a trigger in schema ops',
    `${AUDIT}; CREATE TRIGGER audit BEFORE UPDATE ON ops.migrations FOR EACH ROW EXECUTE FUNCTION audit()`,
  ],
  [
    'a view that can be updated',
    `${AUDIT}; CREATE VIEW names AS SELECT name FROM parcels;
      CREATE TRIGGER audit INSTEAD OF UPDATE ON names FOR EACH ROW EXECUTE FUNCTION audit()`,
  ],
  [
    'an event trigger',
    `CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
      CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch()`,
  ],
  [
    'the event trigger of provisioning with another function',
    `CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; DROP EVENT TRIGGER airlock_refuse_drop;
      CREATE EVENT TRIGGER airlock_refuse_drop ON sql_drop EXECUTE FUNCTION watch()`,
  ],
  [
    'a rule that replaces the statement',
    `CREATE TABLE audit (old text); CREATE RULE quiet AS ON UPDATE TO parcels DO INSTEAD INSERT INTO audit VALUES (OLD.name)`,
  ],
  ['a materialised view', 'CREATE MATERIALIZED VIEW names AS SELECT name FROM parcels'],
  ['large objects', `SELECT lo_from_bytea(0, 'cAnArY'), lo_from_bytea(0, 'x')`],
  ['another schema with a table', `CREATE SCHEMA crm; CREATE TABLE crm.users (name text)`],
  ['a table in information_schema', 'CREATE TABLE information_schema.people AS SELECT name FROM parcels'],
  [
    'an unknown table, view and function in schema ops',
    `CREATE TABLE ops.notes (text text); CREATE VIEW ops.names AS SELECT name FROM parcels;
      CREATE FUNCTION ops.spy() RETURNS text LANGUAGE sql AS 'SELECT 1::text'`,
  ],
  ['a column of schema ops', 'ALTER TABLE ops.environment ADD COLUMN note text'],
  ['a publication', 'CREATE PUBLICATION out FOR ALL TABLES'],
  [
    'a subscription',
    `CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 password=x' PUBLICATION out WITH (connect = false, slot_name = NONE)`,
  ],
  ['extended statistics', 'CREATE STATISTICS pairs (mcv) ON owner_id, name FROM parcels; ANALYZE parcels'],
  ['a function of the C library', `CREATE FUNCTION spy() RETURNS int LANGUAGE internal AS 'pg_backend_pid'`],
  [
    'a function added to an accepted extension',
    `CREATE FUNCTION spy() RETURNS int LANGUAGE internal AS 'pg_backend_pid'; ALTER EXTENSION plpgsql ADD FUNCTION spy()`,
  ],
  ['a function in a check', `${CALLED}; ALTER TABLE parcels ADD CONSTRAINT spied CHECK (spy(name) IS NOT NULL)`],
  [
    'a built-in function with effects in a check',
    `ALTER TABLE parcels ADD CONSTRAINT spied CHECK (pg_catalog.set_config('x.y', name, false) IS NOT NULL)`,
  ],
  ['a function in a domain', `${CALLED}; CREATE DOMAIN spied AS text CONSTRAINT spied CHECK (spy(VALUE) IS NOT NULL)`],
  [
    'a function in an index and in its condition',
    `${CALLED}; CREATE INDEX by_spy ON parcels (spy(name)); CREATE INDEX if_spy ON parcels (name) WHERE spy(name) > ''`,
  ],
  [
    'a function in a generated column and in a default',
    `${CALLED}; ALTER TABLE parcels ADD COLUMN a text GENERATED ALWAYS AS (spy(name)) STORED, ADD COLUMN b text DEFAULT spy('x')`,
  ],
  [
    'an operator in a check',
    `${CALLED}; CREATE FUNCTION eq(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
      CREATE OPERATOR === (FUNCTION = eq, LEFTARG = text, RIGHTARG = text);
      ALTER TABLE parcels ADD CONSTRAINT spied CHECK (name === name)`,
  ],
  [
    'a partitioned table',
    `CREATE TABLE parts (name text) PARTITION BY LIST (name); CREATE TABLE part PARTITION OF parts DEFAULT`,
  ],
  ['a table that inherits', `CREATE TABLE parent (name text); CREATE TABLE child () INHERITS (parent)`],
  ['an unlogged table', 'CREATE UNLOGGED TABLE notes (text text)'],
  ['REPLICA IDENTITY FULL', 'ALTER TABLE parcels REPLICA IDENTITY FULL'],
  [
    'a custom cast, range type and operator class',
    `CREATE FUNCTION to_text(int4range) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
      CREATE CAST (int4range AS text) WITH FUNCTION to_text(int4range) AS ASSIGNMENT;
      CREATE TYPE span AS RANGE (subtype = int4);
      CREATE FUNCTION cmp(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
      CREATE OPERATOR CLASS odd FOR TYPE text USING btree AS FUNCTION 1 cmp(text, text)`,
  ],
  [
    'indexes that an interrupted command left',
    `CREATE INDEX dropped ON parcels (name); CREATE INDEX names_ccold ON parcels (name); CREATE INDEX names_ccnew ON parcels (name);
      UPDATE pg_index SET indisvalid = false, indisready = false, indislive = false
       WHERE indexrelid IN ('dropped'::regclass, 'names_ccold'::regclass);
      UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid = 'names_ccnew'::regclass`,
  ],
  [
    'a setting of the database',
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.key = %L', current_database(), 'cAnArY'); END $$`,
  ],
  [
    'tables and columns without a rule, and rules without a column',
    `CREATE TABLE "a.b" ("c" text, "D" text); ALTER TABLE parcels ADD COLUMN constructor text`,
  ],
  [
    'a foreign key whose sides would differ',
    `CREATE TABLE users (id text PRIMARY KEY, boss text REFERENCES users (id));
     CREATE TABLE orders (user_id text REFERENCES users (id) ON UPDATE CASCADE, seller text REFERENCES users (id))`,
  ],
  [
    'values in dropped columns and emptied tables',
    `ALTER TABLE parcels ADD COLUMN phone text; UPDATE parcels SET phone = 'cAnArYphone';
    CREATE TABLE notes AS SELECT 'cAnArYnote' AS text FROM parcels; ANALYZE notes; DELETE FROM notes; ALTER TABLE parcels DROP COLUMN phone`,
  ],
  [
    'values in the journals of its environment',
    `INSERT INTO ops.migration_runs (planned, actor, error) VALUES ('{}', 'x', 'invalid: cAnArYerror');
    INSERT INTO ops.system_uses (service, reason, user_id) VALUES ('x', 'cAnArYreason', 'user_cAnArY');
    INSERT INTO ops.files_to_remove VALUES ('cAnArYfile', now())`,
  ],
  [
    'text in the schema',
    `CREATE TYPE mood AS ENUM ('cAnArYlabel'); CREATE DOMAIN label AS text DEFAULT 'cAnArYdomain';
    CREATE VIEW names AS SELECT name FROM parcels WHERE name <> 'cAnArYview'; ALTER TABLE parcels ALTER name SET DEFAULT 'cAnArYdefault';
    COMMENT ON TABLE parcels IS 'cAnArYcomment'; CREATE POLICY wide ON parcels USING (name <> 'cAnArYpolicy')`,
  ],
  [
    'a view that everyone may read, and row-level security off',
    `CREATE VIEW names AS SELECT name FROM parcels; GRANT SELECT ON names TO PUBLIC;
    ALTER TABLE parcels DISABLE ROW LEVEL SECURITY; GRANT SELECT ON parcels TO PUBLIC`,
  ],
  ['a policy that calls a function', `${CALLED}; CREATE POLICY spied ON parcels USING (spy(name) IS NOT NULL)`],
  [
    'a child whose rows a plain SELECT would add',
    `CREATE TABLE child (hidden text) INHERITS (parcels);
    INSERT INTO child (owner_id, name, hidden) VALUES ('user_cAnArY', 'cAnArYchild', 'cAnArYhidden')`,
  ],
  [
    'a sequence and a comment on the database',
    `CREATE SEQUENCE numbers; SELECT setval('numbers', 424242); COMMENT ON SCHEMA public IS 'cAnArYschema'`,
  ],
  [
    'a virtual column that calls a function',
    `${CALLED}; ALTER TABLE parcels ADD COLUMN shown text GENERATED ALWAYS AS (spy(name)) STORED`,
  ],
  [
    'newlines, tabs, backslashes and the end mark of COPY in values',
    `UPDATE parcels SET name = E'cAnArY\\n\\\\.\\n\\t\\\\N\\r' || id`,
  ],
  [
    'a document with keys of people',
    `UPDATE parcels SET attributes = '{"cAnArYkey": {"deep": ["cAnArY", {"x": "cAnArY"}]}}'`,
  ],
];

/** Objects that the catalogue of a schema does not list. */
const OTHERS = `SELECT array_agg(pg_describe_object(class, oid, 0) ORDER BY 1) FROM (
    SELECT 'pg_event_trigger'::regclass AS class, oid FROM pg_event_trigger
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
    UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata
    UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext
    UNION ALL SELECT classoid, objoid FROM pg_seclabel
    UNION ALL SELECT classoid, objoid FROM pg_description WHERE description ~ 'cAnArY') o`;

describe('refresh from a source that holds', () => {
  it.each(planted)(
    '%s: none of it is in the result',
    async (_, sql) => {
      const source = await restore();
      await runAs(inside(source), async (client) => {
        // Scripts of extensions drop objects, which the event trigger refuses.
        await client.query('ALTER EVENT TRIGGER airlock_refuse_drop DISABLE');
        await client.query(complete(sql));
      });
      await runRefresh({ source, target, model, canaries: ['cAnArY'] });
      expect((await dump(target)).match(/.{40}canary.{20}/i)).toBeNull();
      expect(await readSchema(target)).toEqual(expected);
      await runAs(inside(target), async (client) => {
        expect(await ask(client, `SELECT count(*)::int FROM parcels WHERE owner_id ~ '^user_[a-z2-9]{13}$'`)).toBe(40);
        expect(await ask(client, OTHERS)).toEqual(['event trigger airlock_refuse_drop']);
      });
      await runAs(original.admin, (admin) =>
        admin.query(`DROP DATABASE IF EXISTS ${source.app.database} WITH (FORCE)`).catch(() => undefined),
      );
    },
    30_000,
  );
});
