import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { findSchemaDrift, hasDrift } from '../drift/drift.js';
import { readCatalogue } from '../drift/catalogue.js';
import { migrate } from '../migrate/migrate.js';
import { defineMigration, type Migration } from '../model/migration.js';
import { ask, createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision } from '../provision/provision.js';
import { createConfig } from '../refresh/refresh.fixture.js';
import { sampleModel } from '../sample/sample-model.js';
import { type AdoptionPlace, draftBaseline, inspectDatabase } from './adopt.js';
import { adoptWith, createBaseline, createBookshop, plantBookshop, inPlace } from './adoption.fixture.js';
import { describeInventory } from './describe-inventory.js';

let cluster: Cluster;
/** The same schema in each database, so one baseline fits all. */
let baseline: Migration;
let counter = 0;

beforeAll(async () => {
  cluster = await startScratchCluster();
  await plantBookshop(cluster);
  baseline = await createBaseline(await create());
}, 60_000);
afterAll(() => cluster.stop());

const create = (sql = '', environment: 'production' | 'staging' | 'testing' = 'production') =>
  createBookshop(cluster, { name: `shop${(counter += 1)}_${environment}`, environment, sql });
const askIn = (place: AdoptionPlace, sql: string) => runAs(inPlace(place), (client) => ask(client, sql));

/** Every setting of every object, its owner and rights, the roles and the databases of the server, and the rows. */
const EVERYTHING = `SELECT md5(string_agg(x, ',' ORDER BY x)) FROM (
  SELECT c::text FROM (SELECT oid, relname, relowner, relacl, relkind, reloptions, relrowsecurity FROM pg_class) c
  UNION ALL SELECT n::text FROM pg_namespace n UNION ALL SELECT p::text FROM (SELECT oid, proowner, proacl FROM pg_proc) p
  UNION ALL SELECT d::text FROM (SELECT datname, datdba, datacl FROM pg_database) d UNION ALL SELECT a::text FROM pg_default_acl a
  UNION ALL SELECT r::text FROM pg_roles r UNION ALL SELECT o::text FROM public.orders o UNION ALL SELECT m::text FROM public.migrations m) t (x)`;

const rightsOf = (place: AdoptionPlace) =>
  runAs(inPlace(place), (client) => readCatalogue(client, { app: place.app.user, migrator: place.migration.user }));

describe('the dry run', () => {
  it('names what is there, and changes nothing', async () => {
    const place = await create(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, warehouse', current_database()); END $$; ANALYZE`,
    );
    const before = await askIn(place, EVERYTHING);
    const found = await inspectDatabase(place, [
      'CREATE TABLE public.orders (); ALTER …',
      'CREATE TABLE public.parcels ();',
    ]);
    expect(await askIn(place, EVERYTHING)).toBe(before);
    expect(found.tables.filter(({ name }) => name.startsWith('public.')).length).toBeGreaterThanOrEqual(50);
    expect(found.tables.find(({ name }) => name === 'public.orders')).toMatchObject({
      ...{ rows: 40, hasPrimaryKey: true, isProtected: false, owners: ['customer_id'] },
      parents: ['orders_customer_id_address_id_fkey', 'orders_customer_id_fkey'],
    });
    expect(found.tables.filter(({ hasPrimaryKey }) => !hasPrimaryKey).map(({ name }) => name)).toEqual([
      'public.import_log',
      'public.page_views',
      'public.price_history',
    ]);
    // Through invoices and orders.
    expect(found.tables.find(({ name }) => name === 'public.invoice_lines')?.parents).toEqual([
      'invoice_lines_invoice_fkey',
    ]);
    const text = describeInventory(found, { app: 'shop' });
    expect(text).toMatch('airlock new protection orders --owner customer_id\n');
    expect(text).toMatch('airlock new protection invoice_lines --through invoice_lines_invoice_fkey\n');
    expect(text).toMatch('public.api_keys: has no owner column, and no key that leads to one');
    expect(text).toMatch(/public\.orders +about 40 rows, \d+ kB\n/);
    expect(text).toMatch('shop: owns 64 tables and views; goes on as the application\n');
    expect(found.typeorm).toEqual({ table: 'public.migrations', count: 3, last: 'AddConsents1699999999999' });
    expect(found.roles).toMatchObject({
      reporting: expect.arrayContaining(['USAGE on 1 schemas']),
      shop: expect.anything(),
    });
    expect(found.notes).toEqual([
      'audit.changes is in schema audit: refresh copies only rows of schema public',
      'audit.note_change() runs with the rights of its owner (SECURITY DEFINER): shop now, then the owner role',
      expect.stringMatching(/^the database sets search_path=public, warehouse/),
      'warehouse.shelves is in schema warehouse: refresh copies only rows of schema public',
      'warehouse.stock is in schema warehouse: refresh copies only rows of schema public',
    ]);
    expect(found.refusals).toEqual([
      expect.stringMatching(/^table public.orders: the migrations of this code create one/),
    ]);
    expect(found.objects['type']).toContain('public.order_status');
    expect(found.objects['view']).toEqual(['public.a_summary', 'public.customer_orders', 'public.open_orders']);
  });
});

describe('the baseline', () => {
  it('is refused with the name of each thing that it would lose', async () => {
    const place = await create(LOSSES);
    await expect(draftBaseline(place, [])).rejects.toMatchObject({ exitCode: 3 });
    const message = await draftBaseline(place, []).catch((error: Error) => error.message);
    for (const name of [
      ...[
        'aggregate public.last_of(integer)',
        'operator public.===(integer,integer)',
        'server elsewhere',
        'foreign table public.far',
      ],
      ...[
        'rule orders_quiet on public.orders',
        'text search configuration public.shop_search',
        'cast (public.order_status AS boolean)',
      ],
      ...['cast (public.price_range AS public.price_multirange)'],
      ...['policy desk on public.tickets: is for the role reporting', 'collation public.numeric_order'],
    ])
      expect(message).toContain(name);
  });

  it.each([
    ['an inherited table', 'CREATE TABLE public.heir () INHERITS (public.authors)', 'table public.heir'],
    ['a typed table', 'CREATE TABLE public.typed OF public.money_amount', 'table public.typed'],
    ['the identity of a replica', 'ALTER TABLE public.authors REPLICA IDENTITY FULL', 'table public.authors'],
    ['the order of a table', 'ALTER TABLE public.authors CLUSTER ON authors_pkey', 'index public.authors_pkey'],
    [
      'a label of a domain constraint',
      `COMMENT ON CONSTRAINT isbn_form ON DOMAIN public.isbn IS 'form'`,
      'comment on domain constraint',
    ],
    [
      'an unfilled view',
      'REFRESH MATERIALIZED VIEW public.bestsellers WITH NO DATA',
      'materialized view public.bestsellers',
    ],
    [
      'a default of a view',
      `ALTER VIEW public.open_orders ALTER COLUMN status SET DEFAULT 'paid'`,
      'default value for public.open_orders',
    ],
    [
      'a setting of an overflow table',
      'ALTER TABLE public.authors SET (toast.autovacuum_enabled = false)',
      'table public.authors',
    ],
    [
      'a default of a partition',
      `ALTER TABLE public.page_views_rest ALTER COLUMN path SET DEFAULT '/'`,
      'default value for public.page_views_rest.path',
    ],
  ])('is refused for %s, which only the proof finds', async (_, sql, name) => {
    const place = await create(sql);
    const before = await runAs(cluster.superuser, (client) => ask(client, 'SELECT count(*) FROM pg_database'));
    await expect(draftBaseline(place, [])).rejects.toThrow(`- ${name}`);
    expect(await runAs(cluster.superuser, (client) => ask(client, 'SELECT count(*) FROM pg_database'))).toBe(before);
  });

  it('runs no function of the database with the powers of the administrator', async () => {
    const file = join(tmpdir(), `adopted-${randomBytes(8).toString('hex')}`);
    const place = await create(`
      CREATE FUNCTION public.rise() RETURNS integer LANGUAGE plpgsql AS $$
      BEGIN
        -- A rollback does not undo it.
        COPY (SELECT 1) TO PROGRAM 'cat > ${file}';
        RETURN 1;
      EXCEPTION WHEN insufficient_privilege THEN RETURN 2; END $$;
      CREATE MATERIALIZED VIEW public.trap AS SELECT public.rise() AS power WITH NO DATA;
      ALTER MATERIALIZED VIEW public.trap OWNER TO shop; SET ROLE shop; REFRESH MATERIALIZED VIEW public.trap; RESET ROLE;
      CREATE SCHEMA ops; CREATE VIEW ops.migrations AS SELECT public.rise() AS name`);
    await expect(draftBaseline(place, [])).rejects.toThrow('schema ops: Airlock creates one of this name');
    await expect(adoptWith(place, baseline)).rejects.toMatchObject({ exitCode: 3 });
    await askIn(place, 'DROP SCHEMA ops CASCADE');
    await draftBaseline(place, []);
    await expect(adoptWith(place, baseline)).rejects.toThrow('- CREATE MATERIALIZED VIEW public.trap');
    expect(existsSync(file)).toBe(false);
  });

  it('takes the name of a schema for a name, whatever it contains', async () => {
    const place = await create('CREATE SCHEMA "$rights$;RESET ROLE;CREATE ROLE planted SUPERUSER;--"');
    const odd = await createBaseline(place);
    await adoptWith(place, odd);
    await createFresh([odd]);
    expect(await askIn(place, `SELECT count(*)::int FROM pg_roles WHERE rolname = 'planted'`)).toBe(0);
  });

  it('names an extension and a language that only a superuser may create in a new database', async () => {
    const place = await create(
      `CREATE EXTENSION dblink; CREATE FUNCTION public.low() RETURNS integer LANGUAGE internal AS 'pg_backend_pid'`,
    );
    await expect(draftBaseline(place, [])).rejects.toThrow(
      /CREATE EXTENSION IF NOT EXISTS dblink SCHEMA public: permission denied[\s\S]*FUNCTION public\.low\(\): permission denied for language internal/,
    );
  });

  it('creates what is rare again, and in any order of dependencies', async () => {
    const place = await create(RARITIES);
    const { statements } = await draftBaseline(place, []);
    expect(statements.length).toBeGreaterThan(baseline.statements.length + 50);
  });

  it('keeps functions to the byte, and names in quotes', async () => {
    const place = await create(ODDITIES);
    const odd = await createBaseline(place);
    await adoptWith(place, odd);
    const fresh = await createFresh([odd]);
    const source = `SELECT string_agg(md5(prosrc), ',' ORDER BY proname) FROM pg_proc WHERE pronamespace::regnamespace::text IN ('public', '"It''s"')`;
    expect(await askIn(fresh, source)).toBe(await askIn(place, source));
    expect(await askIn(fresh, `SELECT has_table_privilege('${fresh.app.user}', '"It''s"."Order"', 'INSERT')`)).toBe(
      true,
    );
  });
});

async function createFresh(migrations: readonly Migration[]): Promise<AdoptionPlace> {
  const place = createAddresses(cluster, `fresh${(counter += 1)}_staging`, 'staging');
  await provision(place);
  await migrate({ config: createConfig(place), migrations });
  return place;
}

describe('adopt', () => {
  it('makes the database equal to a new one with the same migrations, rights included, and keeps the rows', async () => {
    const place = await create();
    const rows = `SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM public.orders o`;
    const before = await askIn(place, rows);
    expect(await adoptWith(place, baseline)).toEqual({
      database: place.app.database,
      isNew: true,
      baseline: baseline.name,
      warnings: [],
    });
    const added = defineMigration({
      name: '20270101000000-add-rank',
      phase: 'expand',
      statements: ['ALTER TABLE public.authors ADD COLUMN rank integer'],
    });
    const migrations = [baseline, ...sampleModel.migrations, added];
    const { applied } = await migrate({ config: createConfig(place), migrations });
    expect(applied.map(({ name }) => name)).toEqual(migrations.slice(1).map(({ name }) => name));
    const drift = findSchemaDrift(await rightsOf(await createFresh(migrations)), await rightsOf(place));
    expect(hasDrift(drift) && drift).toBe(false);
    expect(await askIn(place, rows)).toBe(before);
    expect(await askIn(place, 'SELECT count(*)::int FROM public.migrations')).toBe(3);
    expect(
      await askIn(
        place,
        `SELECT row(duration_ms, actor, phase)::text FROM ops.migrations WHERE name = '${baseline.name}'`,
      ),
    ).toBe('(0,spec,expand)');
  });

  it('lets the login that owned everything go on as the application, without the right to change the schema', async () => {
    const made = await create();
    const place = { ...made, app: { ...made.app, user: 'shop' } };
    await adoptWith(place, baseline);
    await runAs(place.app, async (client) => {
      const insert = `INSERT INTO orders (customer_id) SELECT min(id) FROM customers RETURNING status::text`;
      expect(await ask(client, insert)).toBe('draft');
      expect(await ask(client, 'UPDATE warehouse.stock SET quantity = 1 RETURNING quantity')).toBe(1);
      expect(await ask(client, `SELECT nextval('invoice_number_seq')::int`)).toBeGreaterThan(20_000);
      expect(await ask(client, 'ALTER TABLE orders ADD COLUMN x int')).toMatch('must be owner');
      expect(await ask(client, 'CREATE SCHEMA mine')).toMatch('permission denied');
      expect(await ask(client, `DROP DATABASE ${place.app.database}`)).toMatch(/must be owner|cannot/);
      expect(await ask(client, 'SELECT count(*) FROM ops.migration_runs')).toMatch('permission denied');
    });
    expect(
      await askIn(place, `SELECT evtenabled::text FROM pg_event_trigger WHERE evtname = 'airlock_refuse_drop'`),
    ).toBe('O');
    const before = await rightsOf(await createFresh([baseline]));
    expect(findSchemaDrift(before, await rightsOf(place))).toEqual({ missing: [], unexpected: [] });
    expect(await runAs({ ...place.app, user: 'reporting' }, () => Promise.resolve()).catch(String)).toMatch(
      /password|permission/,
    );
    await runAs(inPlace(place), async (client) => {
      const rights = `SELECT string_agg(r, ',') FROM unnest(ARRAY['public.orders', 'warehouse.stock', 'warehouse.shelves']) t, unnest(ARRAY['SELECT', 'UPDATE']) r
        WHERE has_any_column_privilege('reporting', t, r)`;
      expect(await ask(client, rights)).toBeNull();
    });
  });

  it('changes nothing when it runs again, and two at once do it once', async () => {
    const place = await create();
    const runs = await Promise.all([adoptWith(place, baseline), adoptWith(place, baseline)]);
    expect(runs.map(({ isNew }) => isNew).sort()).toEqual([false, true]);
    const before = await askIn(place, EVERYTHING);
    expect((await adoptWith(place, baseline)).isNew).toBe(false);
    expect(await askIn(place, EVERYTHING)).toBe(before);
  });

  it('is undone by the server when the process is killed half-way, and the next run does it all', async () => {
    const place = await create();
    const owners = 'SELECT md5(string_agg(concat(relname, relowner, relacl), $$,$$ ORDER BY oid)) FROM pg_class';
    const before = await askIn(place, owners);
    await runAs(inPlace(place), async (reader) => {
      await reader.query('BEGIN; SELECT FROM public.wishlists');
      const child = startAdoption(place);
      await waitUntil(
        place,
        `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'public.wishlists'::regclass)`,
      );
      child.kill('SIGKILL');
      await reader.query('COMMIT');
    });
    await waitUntil(place, `SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE '%/adopt%')`);
    expect(await askIn(place, owners)).toBe(before);
    // Its roles belong to the transaction too.
    expect(
      await askIn(place, `SELECT to_regclass('ops.environment') IS NULL AND to_regrole('${place.app.user}') IS NULL`),
    ).toBe(true);
    expect((await adoptWith(place, baseline)).isNew).toBe(true);
    expect(await askIn(place, `SELECT count(*)::int FROM pg_database WHERE datname LIKE 'airlock_baseline%'`)).toBe(0);
  });

  it('leaves an empty database and its role when the process is killed in the proof, and the next run removes them', async () => {
    const place = await create();
    const child = startAdoption(place);
    await waitUntil(place, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname LIKE 'airlock_baseline%')`);
    child.kill('SIGKILL');
    const left = `SELECT (SELECT count(*) FROM pg_database WHERE datname LIKE 'airlock_baseline%') + (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'airlock_baseline%')`;
    expect(Number(await askIn(place, left))).toBe(2);
    expect(await askIn(place, `SELECT to_regclass('ops.environment') IS NULL`)).toBe(true);
    expect((await adoptWith(place, baseline)).isNew).toBe(true);
    expect(Number(await askIn(place, left))).toBe(0);
  });

  it('waits for readers of a table in short attempts, between which others pass', async () => {
    const place = await create();
    await runAs(inPlace(place), async (reader) => {
      await reader.query('BEGIN; SELECT FROM public.wishlists');
      const { adopt } = await import('./adopt.js');
      const reasons: string[] = [];
      const onRetry = (reason: string) => {
        reasons.push(reason);
        void reader.query('COMMIT');
      };
      await adopt(place, { baseline, by: { actor: 'spec', commit: undefined, imageDigest: undefined }, onRetry });
      expect(reasons).toEqual(['lock timeout']);
    });
  });

  it.each([
    [
      'a column more',
      'ALTER TABLE public.authors ADD COLUMN pen_name text',
      '- ALTER TABLE public.authors ADD COLUMN pen_name text',
    ],
    [
      'another function',
      `CREATE OR REPLACE FUNCTION public.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
      '- function public.touch_updated_at()',
    ],
    ['an index less', 'DROP INDEX public.books_search_idx', '+ index public.books_search_idx'],
  ])('refuses a database with %s, and changes nothing', async (_, sql, line) => {
    const place = await create(sql);
    const before = await askIn(place, EVERYTHING);
    await expect(adoptWith(place, baseline)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining(line),
    });
    expect(await askIn(place, EVERYTHING)).toBe(before);
  });

  it('refuses a schema of another program that has the name of ours, and changes nothing', async () => {
    const place = await create('CREATE SCHEMA ops; CREATE TABLE ops.runs (id integer)');
    const before = await askIn(place, EVERYTHING);
    await expect(adoptWith(place, baseline)).rejects.toThrow('schema ops: Airlock creates one of this name');
    expect(await askIn(place, EVERYTHING)).toBe(before);
  });

  it('refuses a test database, one of another environment, and one that has other migrations of ours', async () => {
    await expect(create('', 'testing').then((place) => adoptWith(place, baseline))).rejects.toThrow(
      'A test database is never adopted',
    );
    const stamped = await create('', 'staging');
    await adoptWith(stamped, baseline);
    await expect(adoptWith({ ...stamped, environment: 'production' }, baseline)).rejects.toThrow(
      'belongs to another environment',
    );
    const other = defineMigration({
      name: '20250101000000-other',
      phase: 'expand',
      isBaseline: true,
      statements: ['SELECT 1'],
    });
    await expect(adoptWith(stamped, other)).rejects.toThrow(`has 1 migrations of Airlock, and not ${other.name}`);
  });

  it('works for an administrator without superuser rights, who is a member of the old owner', async () => {
    const made = await create();
    const keeper = { ...made.admin, user: 'keeper', password: made.app.password };
    await runAs(cluster.superuser, (client) =>
      client.query(`SET scram_iterations = 4096; CREATE ROLE keeper LOGIN CREATEDB CREATEROLE PASSWORD '${made.app.password.reveal()}'; GRANT shop TO keeper;
        ALTER DATABASE ${made.app.database} OWNER TO keeper; DO $$ BEGIN CREATE ROLE airlock_system NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT airlock_system TO keeper WITH ADMIN OPTION`),
    );
    const place = { ...made, admin: keeper };
    const draft = await draftBaseline(place, []);
    expect(draft.statements).toEqual(baseline.statements.map(({ sql }) => sql));
    const { isNew, warnings } = await adoptWith(place, baseline);
    expect(isNew).toBe(true);
    expect(warnings.at(-1)).toMatch('may not create one, so drops in production are NOT refused');
    const added = defineMigration({
      name: '20270101000000-add-rank',
      phase: 'expand',
      statements: ['ALTER TABLE warehouse.stock ADD COLUMN rank integer'],
    });
    expect((await migrate({ config: createConfig(place), migrations: [baseline, added] })).applied.length).toBe(1);
    const drift = findSchemaDrift(await rightsOf(await createFresh([baseline, added])), await rightsOf(made));
    expect(hasDrift(drift) && drift).toBe(false);
  });

  it('keeps what belongs to the server around the schema', async () => {
    const place = await create(
      `CREATE PUBLICATION orders_out FOR TABLE public.orders; COMMENT ON PUBLICATION orders_out IS 'out'; SELECT lo_create(0)`,
    );
    expect((await inspectDatabase(place, [])).kept).toEqual(expect.arrayContaining(['publication orders_out']));
    await adoptWith(place, await createBaseline(place));
    expect(await askIn(place, 'SELECT pubname::text FROM pg_publication')).toBe('orders_out');
  });
});

const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
const RUNNER = fileURLToPath(new URL('./adoption-runner.fixture.ts', import.meta.url));

function startAdoption(place: AdoptionPlace): ChildProcess {
  const { name, statements } = baseline;
  const { host, port, password } = cluster.superuser;
  const child = spawn(process.execPath, ['--import', HOOKS, RUNNER], { stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.end(
    JSON.stringify({ host, port, password: password.reveal(), database: place.app.database, name, statements }),
  );
  return child;
}

async function waitUntil(place: AdoptionPlace, sql: string): Promise<void> {
  for (let tries = 0; (await askIn(place, sql)) !== true; tries += 1) {
    if (tries > 200) throw new Error(`${sql}: was never true`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const LOSSES = `
  CREATE AGGREGATE public.last_of(integer) (SFUNC = int4larger, STYPE = integer);
  CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
  CREATE FUNCTION public.is_open(s public.order_status) RETURNS boolean LANGUAGE sql AS 'SELECT true';
  CREATE CAST (public.order_status AS boolean) WITH FUNCTION public.is_open(public.order_status);
  CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE public.far (id int) SERVER elsewhere;
  CREATE TYPE public.price_range AS RANGE (SUBTYPE = numeric);
  CREATE RULE orders_quiet AS ON DELETE TO public.orders DO INSTEAD NOTHING;
  CREATE TEXT SEARCH CONFIGURATION public.shop_search (COPY = simple);
  CREATE COLLATION public.numeric_order (provider = icu, locale = 'en-u-kn');
  CREATE POLICY desk ON public.tickets TO reporting USING (true);`;

const ODDITIES = `
  CREATE SCHEMA "It's"; CREATE TABLE "It's"."Order" ("group" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "a""b" text DEFAULT E'\\\\ \${x} \`');
  CREATE FUNCTION "It's".indented() RETURNS text LANGUAGE sql AS E'\\n    SELECT 1   \\n      ::text  \\r\\n    -- \\\\d \`\${1}\`\\n    ';`;

const RARITIES = `
  CREATE SCHEMA rare;
  CREATE TABLE rare.tree (region text NOT NULL, id bigint NOT NULL, at date, CONSTRAINT tree_pk PRIMARY KEY (region, id)) PARTITION BY LIST (region);
  CREATE TABLE rare.tree_north PARTITION OF rare.tree FOR VALUES IN ('n', 'it''s') PARTITION BY HASH (id);
  CREATE TABLE rare.tree_north_0 PARTITION OF rare.tree_north FOR VALUES WITH (modulus 2, remainder 0);
  CREATE TABLE rare.tree_north_1 PARTITION OF rare.tree_north (CONSTRAINT local_check CHECK (id > 0)) FOR VALUES WITH (modulus 2, remainder 1);
  CREATE TABLE rare.leaf (region text, tree bigint, CONSTRAINT leaf_tree FOREIGN KEY (region, tree) REFERENCES rare.tree ON DELETE SET NULL (tree) DEFERRABLE);
  CREATE INDEX tree_at ON ONLY rare.tree (at); CREATE INDEX own_name ON rare.tree_north (at); ALTER INDEX rare.tree_at ATTACH PARTITION rare.own_name;
  CREATE TYPE rare.label AS ENUM ('it''s', 'b"c', '');
  CREATE DOMAIN rare.small AS integer CHECK (VALUE < 10); CREATE DOMAIN rare.smaller AS rare.small CHECK (VALUE < 5);
  CREATE TYPE rare.pair AS (a rare.smaller, b rare.label[], "C d" text COLLATE "C");
  CREATE TABLE rare.empty (); CREATE UNLOGGED TABLE rare.quick (id serial, p rare.pair, q rare.pair[]);
  CREATE FUNCTION rare.a_needs_z(x integer DEFAULT 1, VARIADIC y text[] DEFAULT '{}') RETURNS TABLE (n integer) LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
  CREATE FUNCTION rare.z() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 2; END;
  CREATE OR REPLACE FUNCTION rare.a_needs_z(x integer DEFAULT 1, VARIADIC y text[] DEFAULT '{}') RETURNS TABLE (n integer) LANGUAGE sql BEGIN ATOMIC SELECT rare.z(); END;
  CREATE FUNCTION rare.a_needs_z(x text) RETURNS SETOF rare.quick LANGUAGE sql COST 7 ROWS 3 AS 'SELECT * FROM rare.quick';
  CREATE VIEW rare.first AS SELECT 1 AS n; CREATE VIEW rare.later AS SELECT 2 AS n; CREATE OR REPLACE VIEW rare.first AS SELECT n FROM rare.later;
  CREATE VIEW rare.checked WITH (security_barrier, check_option = local) AS SELECT * FROM rare.quick WHERE id > 3;
  CREATE RECURSIVE VIEW rare.counted (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < 9;
  CREATE TRIGGER instead INSTEAD OF INSERT ON rare.checked FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
  CREATE CONSTRAINT TRIGGER later AFTER INSERT ON rare.leaf DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
  CREATE TRIGGER whole AFTER UPDATE ON rare.tree REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.touch_updated_at();
  CREATE TABLE rare.times (room integer, during daterange, CONSTRAINT times_pk PRIMARY KEY (room, during WITHOUT OVERLAPS));
  CREATE TABLE rare.bookings (room integer, during daterange, FOREIGN KEY (room, PERIOD during) REFERENCES rare.times (room, PERIOD during));
  ALTER TABLE rare.quick ADD CONSTRAINT unproven CHECK (id > 0) NOT VALID, ADD CONSTRAINT unforced CHECK (id > 1) NOT ENFORCED,
    ADD CONSTRAINT alone CHECK (id > 2) NO INHERIT;
  ALTER TABLE rare.times ADD COLUMN note text; ALTER TABLE rare.times ADD CONSTRAINT note_given NOT NULL note NOT VALID;
  CREATE STATISTICS rare.expression (mcv) ON (id % 7), (id % 5) FROM rare.quick;
  CREATE INDEX odd ON rare.times USING gist (during range_ops) INCLUDE (room) WHERE room IS NOT NULL;
  CREATE INDEX sorted ON rare.times (note COLLATE "C" text_pattern_ops DESC NULLS LAST);
  CREATE SEQUENCE rare.down AS smallint INCREMENT -2 MINVALUE -100 MAXVALUE -1 START -3 CYCLE; CREATE UNLOGGED SEQUENCE rare.fast;
  CREATE TABLE rare.shares (id integer DEFAULT nextval('rare.down'), again integer DEFAULT nextval('rare.down'), i interval DEFAULT '1 day 2:03', t timestamptz DEFAULT '2020-01-01 00:00+02');
  ALTER TABLE rare.shares ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON rare.shares AS RESTRICTIVE FOR UPDATE USING (id > 1) WITH CHECK (id > 2);
  COMMENT ON CONSTRAINT tree_pk ON rare.tree IS 'key'; COMMENT ON TRIGGER whole ON rare.tree IS 'it''s'; COMMENT ON POLICY own ON rare.shares IS 'p';
  COMMENT ON INDEX rare.odd IS 'i'; COMMENT ON SEQUENCE rare.down IS 's'; COMMENT ON COLUMN rare.first.n IS 'c'; COMMENT ON STATISTICS rare.expression IS 'x';
  COMMENT ON MATERIALIZED VIEW public.bestsellers IS 'm'; COMMENT ON PROCEDURE public.recount(bigint) IS 'r'; COMMENT ON DOMAIN rare.small IS 'd';`;
