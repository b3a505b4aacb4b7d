import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Cluster, startCluster, startScratchCluster } from '@airlock/embedded-postgres';
import { ask, createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision, type ProvisionOptions } from '../provision/provision.js';
import type { Columns } from '../model/column-rules.js';
import { createCopy, createSource, inside, nextName, takeSnapshot } from './refresh.fixture.js';
import { refresh } from './refresh.js';
import { sampleModel } from '../sample/sample-model.js';

const { columns } = sampleModel;
const KEYS = 'expected the rule keep, or one pseudonym on both sides of a key without ON UPDATE';
let cluster: Cluster;
let source: ProvisionOptions;
let remote: string;
/** No case may change the copy, so every case compares with the same snapshot. */
let remoteAtFirst: Record<string, string | null>;

beforeAll(async () => {
  cluster = await startScratchCluster();
  source = await createSource(cluster);
  remote = nextName();
  await runAs(cluster.superuser, (admin) => admin.query(`CREATE DATABASE ${remote}`));
  await runAs({ ...cluster.superuser, database: remote }, (client) =>
    client.query(`CREATE TABLE people AS SELECT 'cAnArY ' || n AS name FROM generate_series(1, 3) n`),
  );
  remoteAtFirst = await lookRemote();
}, 60_000);
afterAll(() => cluster.stop());

const lookRemote = () => runAs({ ...cluster.superuser, database: remote }, takeSnapshot);

/** The parts of the statements that need a server. */
const fill = (sql: string) => {
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

/**
 * The planted object and the problem that the refusal names. The rules cover every column, so nothing else causes a
 * refusal.
 */
const planted: readonly (readonly [title: string, sql: string, named: readonly string[], rules?: Columns])[] = [
  [
    'a foreign table, its server and its password',
    `${WRAPPER}; CREATE FOREIGN TABLE people (name text) SERVER elsewhere`,
    [
      'extension postgres_fdw is not supported by refresh',
      'foreign table public.people holds rows of another system',
      'server elsewhere reaches another system',
      'user mapping for postgres on server elsewhere may hold a password',
    ],
    { people: { name: { value: `'x'` } } },
  ],
  [
    'a foreign table that is a partition',
    `${WRAPPER}; CREATE TABLE all_people (name text) PARTITION BY LIST (name);
      CREATE FOREIGN TABLE people PARTITION OF all_people DEFAULT SERVER elsewhere`,
    ['table public.all_people is partitioned', 'foreign table public.people inherits from another table'],
    { all_people: { name: { value: `'x'` } }, people: { name: 'keep' } },
  ],
  ['dblink', 'CREATE EXTENSION dblink SCHEMA public', ['extension dblink is not supported by refresh']],
  [
    'a foreign-data wrapper alone',
    'CREATE FOREIGN DATA WRAPPER bare',
    ['foreign-data wrapper bare reaches another system'],
  ],
  [
    'a file of the server',
    'CREATE EXTENSION file_fdw SCHEMA public',
    ['extension file_fdw is not supported by refresh'],
  ],
  [
    'an extension that only adds a type',
    'CREATE EXTENSION hstore SCHEMA public',
    ['extension hstore is not supported by refresh'],
  ],
  [
    'a row trigger that keeps the old row',
    `${AUDIT}; CREATE TRIGGER audit BEFORE UPDATE ON parcels FOR EACH ROW EXECUTE FUNCTION audit()`,
    ['trigger audit on table public.parcels runs when rows change'],
    { audit: { old: 'keep' } },
  ],
  [
    'a statement trigger, disabled',
    `${AUDIT}; CREATE TRIGGER audit AFTER UPDATE ON parcels EXECUTE FUNCTION audit(); ALTER TABLE parcels DISABLE TRIGGER ALL`,
    ['trigger audit on table public.parcels runs when rows change'],
    { audit: { old: 'keep' } },
  ],
  [
    'a constraint trigger on a table that is kept',
    `${AUDIT}; CREATE CONSTRAINT TRIGGER audit AFTER INSERT ON audit DEFERRABLE FOR EACH ROW EXECUTE FUNCTION audit()`,
    ['trigger audit on table public.audit runs when rows change'],
    { audit: { old: 'keep' } },
  ],
  [
    'a trigger in schema ops',
    `${AUDIT}; CREATE TRIGGER audit BEFORE UPDATE ON ops.migrations FOR EACH ROW EXECUTE FUNCTION audit()`,
    ['trigger audit on table ops.migrations runs when rows change'],
    { audit: { old: 'keep' } },
  ],
  [
    'a view that can be updated',
    `${AUDIT}; CREATE VIEW names AS SELECT name FROM parcels;
      CREATE TRIGGER audit INSTEAD OF UPDATE ON names FOR EACH ROW EXECUTE FUNCTION audit()`,
    ['trigger audit on view public.names runs when rows change'],
    { audit: { old: 'keep' } },
  ],
  [
    'an event trigger',
    `CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
      CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch()`,
    ['event trigger watch runs when the schema changes'],
  ],
  [
    'the event trigger of provisioning with another function',
    `CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; DROP EVENT TRIGGER airlock_refuse_drop;
      CREATE EVENT TRIGGER airlock_refuse_drop ON sql_drop EXECUTE FUNCTION watch()`,
    ['event trigger airlock_refuse_drop runs when the schema changes'],
  ],
  [
    'a rule that replaces the statement',
    `CREATE TABLE audit (old text); CREATE RULE quiet AS ON UPDATE TO parcels DO INSTEAD INSERT INTO audit VALUES (OLD.name)`,
    ['rule quiet on table public.parcels changes what an UPDATE does'],
    { audit: { old: 'keep' } },
  ],
  [
    'a materialised view',
    'CREATE MATERIALIZED VIEW names AS SELECT name FROM parcels',
    ['materialized view public.names holds a second copy of rows'],
    { names: { name: 'keep' } },
  ],
  ['large objects', `SELECT lo_from_bytea(0, 'cAnArY'), lo_from_bytea(0, 'x')`, ['2 large objects hold data']],
  [
    'another schema with a table',
    `CREATE SCHEMA crm; CREATE TABLE crm.users (name text)`,
    ['schema crm is not supported by refresh', 'table crm.users is outside schema public'],
    { 'crm.users': { name: { value: `'x'` } } },
  ],
  [
    'a table in information_schema',
    'CREATE TABLE information_schema.people AS SELECT name FROM parcels',
    ['table information_schema.people is outside schema public'],
  ],
  [
    'an unknown table, view and function in schema ops',
    `CREATE TABLE ops.notes (text text); CREATE VIEW ops.names AS SELECT name FROM parcels;
      CREATE FUNCTION ops.spy() RETURNS text LANGUAGE sql AS 'SELECT 1::text'`,
    [
      'ops.notes.text has no rule',
      'view ops.names is not part of schema ops as provisioning creates it',
      'function ops.spy() is outside schema public',
    ],
  ],
  ['a column of schema ops', 'ALTER TABLE ops.environment ADD COLUMN note text', ['ops.environment.note has no rule']],
  ['a publication', 'CREATE PUBLICATION out FOR ALL TABLES', ['publication out sends changes to another system']],
  [
    'a subscription',
    `CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 password=x' PUBLICATION out WITH (connect = false, slot_name = NONE)`,
    ['subscription feed takes changes from another system'],
  ],
  [
    'extended statistics',
    'CREATE STATISTICS pairs (mcv) ON owner_id, name FROM parcels; ANALYZE parcels',
    ['statistics object public.pairs may hold values of rows'],
  ],
  [
    'a function of the C library',
    `CREATE FUNCTION spy() RETURNS int LANGUAGE internal AS 'pg_backend_pid'`,
    ['function public.spy() is in the untrusted language internal'],
  ],
  [
    'a function added to an accepted extension',
    `CREATE FUNCTION spy() RETURNS int LANGUAGE internal AS 'pg_backend_pid'; ALTER EXTENSION plpgsql ADD FUNCTION spy()`,
    ['function public.spy() is in the untrusted language internal'],
  ],
  [
    'a function in a check',
    `${CALLED}; ALTER TABLE parcels ADD CONSTRAINT spied CHECK (spy(name) IS NOT NULL)`,
    ['constraint spied on table public.parcels calls public.spy(text)'],
  ],
  [
    'a built-in function with effects in a check',
    `ALTER TABLE parcels ADD CONSTRAINT spied CHECK (pg_catalog.set_config('x.y', name, false) IS NOT NULL)`,
    ['constraint spied on table public.parcels calls set_config(text,text,boolean)'],
  ],
  [
    'a function in a domain',
    `${CALLED}; CREATE DOMAIN spied AS text CONSTRAINT spied CHECK (spy(VALUE) IS NOT NULL)`,
    ['type public.spied calls public.spy(text)'],
  ],
  [
    'a function in an index and in its condition',
    `${CALLED}; CREATE INDEX by_spy ON parcels (spy(name)); CREATE INDEX if_spy ON parcels (name) WHERE spy(name) > ''`,
    ['index public.by_spy calls public.spy(text)', 'index public.if_spy calls public.spy(text)'],
  ],
  [
    'a function in a generated column and in a default',
    `${CALLED}; ALTER TABLE parcels ADD COLUMN a text GENERATED ALWAYS AS (spy(name)) STORED, ADD COLUMN b text DEFAULT spy('x')`,
    [
      'default value for column a of table public.parcels calls public.spy(text)',
      'default value for column b of table public.parcels calls public.spy(text)',
    ],
    { parcels: { ...columns['parcels'], a: 'keep', b: 'keep' } },
  ],
  [
    'an operator in a check',
    `${CALLED}; CREATE FUNCTION eq(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
      CREATE OPERATOR === (FUNCTION = eq, LEFTARG = text, RIGHTARG = text);
      ALTER TABLE parcels ADD CONSTRAINT spied CHECK (name === name)`,
    ['constraint spied on table public.parcels calls public.eq(text,text)'],
  ],
  [
    'a partitioned table',
    `CREATE TABLE parts (name text) PARTITION BY LIST (name); CREATE TABLE part PARTITION OF parts DEFAULT`,
    ['table public.parts is partitioned', 'table public.part inherits from another table'],
    { parts: { name: { value: `'x'` } }, part: { name: 'keep' } },
  ],
  [
    'a table that inherits',
    `CREATE TABLE parent (name text); CREATE TABLE child () INHERITS (parent)`,
    ['table public.child inherits from another table'],
    { parent: { name: { value: `'x'` } }, child: { name: 'keep' } },
  ],
  [
    'an unlogged table',
    'CREATE UNLOGGED TABLE notes (text text)',
    ['table public.notes is unlogged'],
    { notes: { text: 'keep' } },
  ],
  [
    'REPLICA IDENTITY FULL',
    'ALTER TABLE parcels REPLICA IDENTITY FULL',
    ['table public.parcels writes whole old rows to the log (REPLICA IDENTITY)'],
  ],
  [
    'a custom cast, range type and operator class',
    `CREATE FUNCTION to_text(int4range) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
      CREATE CAST (int4range AS text) WITH FUNCTION to_text(int4range) AS ASSIGNMENT;
      CREATE TYPE span AS RANGE (subtype = int4);
      CREATE FUNCTION cmp(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
      CREATE OPERATOR CLASS odd FOR TYPE text USING btree AS FUNCTION 1 cmp(text, text)`,
    [
      'cast from int4range to text may run code',
      'type public.span may run code',
      'operator class public.odd for access method btree may run code',
    ],
  ],
  [
    'indexes that an interrupted command left',
    `CREATE INDEX dropped ON parcels (name); CREATE INDEX names_ccold ON parcels (name); CREATE INDEX names_ccnew ON parcels (name);
      UPDATE pg_index SET indisvalid = false, indisready = false, indislive = false
       WHERE indexrelid IN ('dropped'::regclass, 'names_ccold'::regclass);
      UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid = 'names_ccnew'::regclass`,
    ['dropped', 'names_ccold', 'names_ccnew'].map(
      (name) =>
        `index public.${name} is not maintained, as an interrupted CREATE, DROP or REINDEX CONCURRENTLY left it`,
    ),
  ],
  [
    'a setting of the database',
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.key = %L', current_database(), 'cAnArY'); END $$`,
    ['setting app.key of the database is not supported by refresh'],
  ],
  [
    'tables and columns without a rule, and rules without a column',
    `CREATE TABLE "a.b" ("c" text, "D" text); ALTER TABLE parcels ADD COLUMN constructor text`,
    [
      '"a.b".c has no rule',
      '"a.b"."D" has no rule',
      'parcels.constructor has no rule',
      'a."b.c" has a rule but does not exist',
    ],
    { a: { 'b.c': 'keep' } },
  ],
  [
    'a foreign key whose sides would differ',
    `CREATE TABLE users (id text PRIMARY KEY, boss text REFERENCES users (id));
     CREATE TABLE orders (user_id text REFERENCES users (id) ON UPDATE CASCADE, seller text REFERENCES users (id))`,
    [
      `users.id is part of foreign key orders_seller_fkey, orders_user_id_fkey, users_boss_fkey; ${KEYS}`,
      `users.boss is part of foreign key users_boss_fkey; ${KEYS}`,
      `orders.user_id is part of foreign key orders_user_id_fkey; ${KEYS}`,
    ],
    {
      users: { id: { pseudonym: 'user_' }, boss: { pseudonym: 'boss_' } },
      orders: { user_id: { pseudonym: 'user_' }, seller: 'keep' },
    },
  ],
];

describe('refresh', () => {
  it.each(planted)('refuses a copy with %s, and changes nothing', async (_, sql, named, rules = {}) => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: source });
    await runAs(inside(target), async (client) => {
      // Scripts of extensions drop objects, which the event trigger refuses.
      await client.query('ALTER EVENT TRIGGER airlock_refuse_drop DISABLE');
      await client.query(fill(sql));
    });
    const look = () => runAs(inside(target), takeSnapshot);
    const before = await look();
    const error = await refresh({ ...sampleModel, ...target, copy, columns: { ...columns, ...rules } }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'ProvisionError', exitCode: 3 });
    const { message } = error as Error;
    for (const problem of named) expect(message.split('\n')).toContain(`  ${problem}`);
    expect(message).not.toMatch(/cAnArY|password '/);
    expect(await look()).toEqual(before);
    expect(await lookRemote()).toEqual(remoteAtFirst);
  });

  it.each([
    ['uuid', 'uuid', 'gen_random_uuid()'],
    ['jsonb', 'jsonb', `'{}'`],
    ['text[]', 'text[]', `'{a}'`],
    ['bytea', 'bytea', `'a'`],
    ['integer', 'integer', '1'],
    ['date', 'date', `'2026-01-01'`],
    ['an enum', 'public.mood', `'glad'`],
    ['varchar(10)', 'character varying(10)', `'a'`],
    ['char(40)', 'character(40)', `'a'`],
    ['inet', 'inet', `'::1'`],
    ['a domain', 'public.label', `'a'`],
    ['name', 'name', `'a'`],
  ])('refuses a pseudonym for %s by table and column', async (_, type, value) => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: source });
    await runAs(inside(target), async (client) => {
      await client.query(`CREATE TYPE mood AS ENUM ('glad'); CREATE DOMAIN label AS text CHECK (VALUE <> '')`);
      await client.query(`CREATE TABLE people (who ${type}); INSERT INTO people VALUES (${value})`);
    });
    const rules: Columns = { ...columns, people: { who: { pseudonym: 'user_' } } };
    await expect(refresh({ ...sampleModel, ...target, copy, columns: rules })).rejects.toThrow(
      `\n  people.who is ${type.replace('public.', 'public.')}; expected text, or varchar of at least 25, for a pseudonym\n`,
    );
  });

  it.each<[string, string, Columns[string], RegExp]>([
    [
      'of another type',
      'who uuid',
      { who: { value: `'Person'` } },
      /people\.who is uuid, and its rule does not fit: invalid input syntax/,
    ],
    [
      'that names no column',
      'who text',
      { who: { value: 'nope' } },
      /people\.who is text, and its rule does not fit: column "nope" does not exist/,
    ],
    [
      'for a generated column',
      'who text, lower text GENERATED ALWAYS AS (lower(who)) STORED',
      { who: 'keep', lower: { value: `'x'` } },
      /people\.lower is generated by the server; expected the rule keep/,
    ],
    [
      'for an identity column',
      'who text, id int GENERATED ALWAYS AS IDENTITY',
      { who: 'keep', id: { value: '1' } },
      /people\.id is generated by the server/,
    ],
    [
      'that a row does not fit',
      'who varchar(4)',
      { who: { value: `who || 'xx'` } },
      /^people\.who: .* PostgreSQL error 22001/,
    ],
    [
      'that a unique index refuses',
      'who text UNIQUE',
      { who: { value: `'x'` } },
      /^people\.who: .* violates unique constraint/,
    ],
    [
      'that quotes a value',
      'who text',
      { who: { value: 'who::int::text' } },
      /^people\.who: .* PostgreSQL error 22P02/,
    ],
  ])('refuses a constant %s, quotes no row and changes nothing', async (_, definition, rule, said) => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: source });
    const [before, error, after] = [
      await runAs(inside(target), async (client) => {
        await client.query(`CREATE TABLE people (${definition})`);
        if (!definition.includes('uuid')) await client.query(`INSERT INTO people (who) VALUES ('abc'), ('abd')`);
        return ask(client, 'SELECT array_agg(p::text) FROM people p');
      }),
      await refresh({ ...sampleModel, ...target, copy, columns: { ...columns, people: rule } }).catch(
        (reason: unknown) => reason,
      ),
      await runAs(inside(target), (client) => ask(client, 'SELECT array_agg(p::text) FROM people p')),
    ];
    expect(error).toMatchObject({ exitCode: 3, message: expect.stringMatching(said) });
    expect((error as Error).message).not.toMatch(/abc|abd/);
    expect(after).toEqual(before);
  });

  it('handles unusual names of tables and columns, and refreshes the rest of the schema with them', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: source });
    await runAs(inside(target), async (client) => {
      await client.query(`CREATE TABLE "Crm.People" ("Full Name" text, short varchar(25), id int GENERATED ALWAYS AS IDENTITY,
        lower text GENERATED ALWAYS AS (lower("Full Name")) STORED, mother int)`);
      await client.query(`CREATE VIEW names AS SELECT "Full Name" FROM "Crm.People"; CREATE SEQUENCE numbers`);
      await client.query(
        `CREATE FUNCTION helper() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION helper() IS 'x'`,
      );
      await client.query(`INSERT INTO "Crm.People" ("Full Name", short) VALUES ('Ada', 'a'), (NULL, NULL)`);
    });
    const rules: Columns = {
      ...columns,
      'Crm.People': {
        'Full Name': { pseudonym: 'p_' },
        short: { pseudonym: 'user_' },
        id: 'keep',
        lower: 'keep',
        mother: 'keep',
      },
    };
    expect((await refresh({ ...sampleModel, ...target, copy, columns: rules })).replaced).toEqual({
      parcels: 40,
      'Crm.People': 2,
    });
    await runAs(inside(target), async (client) => {
      expect(
        await ask(
          client,
          `SELECT count(*)::int FROM "Crm.People" WHERE "Full Name" ~ '^p_[0-9a-f]{20}$' AND lower ~ '^p_'`,
        ),
      ).toBe(1);
      expect(
        await ask(client, `SELECT count(*)::int FROM "Crm.People" WHERE "Full Name" IS NULL AND short IS NULL`),
      ).toBe(1);
    });
  });
});

describe('refresh on a server with replication and prepared transactions', () => {
  it('refuses a logical slot and an unfinished transaction', async () => {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'airlock-refresh-'));
    const dataDir = join(folder, 'data');
    let server = await startCluster({ dataDir, durable: true });
    try {
      await runAs(server.superuser, async (client) => {
        await client.query(`ALTER SYSTEM SET wal_level = 'logical'`);
        await client.query('ALTER SYSTEM SET max_prepared_transactions = 2');
      });
      await server.stop();
      server = await startCluster({ dataDir, durable: true });
      const made = createAddresses(server, 'original', 'production');
      await provision(made);
      await runAs(made.admin, (admin) => admin.query('CREATE DATABASE held_copy TEMPLATE original'));
      const target = createAddresses(server, 'held_copy', 'staging');
      await runAs(inside(target), async (client) => {
        await client.query(`SELECT pg_create_logical_replication_slot('held', 'pgoutput')`);
        await client.query(`BEGIN; CREATE TABLE later (); PREPARE TRANSACTION 'half'`);
      });
      await expect(refresh({ ...sampleModel, ...target, copy: 'held_copy' })).rejects.toThrow(
        /\n {2}prepared transaction 'half' is unfinished\n {2}replication slot held keeps changes\n/,
      );
      await runAs(inside(target), async (client) => {
        await client.query(`ROLLBACK PREPARED 'half'`);
        await client.query(`SELECT pg_drop_replication_slot('held')`);
      });
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
