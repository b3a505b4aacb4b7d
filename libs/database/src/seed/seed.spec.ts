import { describe, expect, it } from '@jest/globals';
import type { Environment } from '@airlock/config';
import { startScratchCluster } from '@airlock/embedded-postgres';
import { migrate } from '../migrate/migrate.js';
import { type ScratchDatabase, useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { defineSeeds, type Seeds, type TableSeeds } from '../model/define-seeds.js';
import { createConfig, createDatabase, runRefresh } from '../refresh/refresh.fixture.js';
import { sampleModel } from '../sample/sample-model.js';
import { seed, type SeedOptions } from './seed.js';

interface Parcel {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
}
interface Label extends Parcel {
  readonly parcelId: string;
}

const cluster = useScratchCluster();
const [parcels] = sampleModel.seeds.tables as [TableSeeds<Parcel>];
/** Rows that belong to parcels. Their key is theirs within a parcel, and the database generates their id. */
const labels = defineSeeds<Label, Parcel>({
  table: 'labels',
  key: ['parcelId', 'name'],
  of: parcels,
  create: ({ userId, index, parent, sample }) =>
    Array.from({ length: sample.integer(0, 3) }, (_, place) => ({
      ownerId: userId,
      parcelId: parent.id,
      name: `Label ${place + 1} of Parcel ${index + 1}`,
    })),
});
const countries = defineSeeds<{ code: string; ownerId: string }>({
  table: 'countries',
  key: ['code'],
  writer: 'system',
  create: ({ index }) => [{ code: `C${index % 5}` }],
});
const seeds: Seeds = { ...sampleModel.seeds, tables: [parcels, labels] };
const TABLES = `
  ALTER TABLE public.parcels ADD CONSTRAINT parcels_owner_key UNIQUE (owner_id, id);
  CREATE TABLE public.labels (id uuid PRIMARY KEY DEFAULT uuidv7(), owner_id text NOT NULL, parcel_id uuid NOT NULL,
    name text NOT NULL, UNIQUE (parcel_id, name),
    FOREIGN KEY (owner_id, parcel_id) REFERENCES public.parcels (owner_id, id) ON DELETE CASCADE);
  ALTER TABLE public.labels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY labels_owner ON public.labels USING (owner_id = current_setting('app.user_id', true));
  CREATE TABLE public.countries (code text PRIMARY KEY);
  ALTER TABLE public.countries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY countries_shared ON public.countries FOR SELECT USING (true);
  CREATE POLICY countries_system ON public.countries TO airlock_system USING (true) WITH CHECK (true);
  GRANT SELECT, INSERT, UPDATE, DELETE ON public.labels, public.countries TO PUBLIC`;

async function create(environment: Environment = 'testing'): Promise<ScratchDatabase> {
  const database = await cluster.create(environment);
  await migrate({ config: database.config, ...sampleModel });
  await database.superuser.query(TABLES);
  return database;
}

async function dump({ superuser }: ScratchDatabase): Promise<unknown[]> {
  const { rows } = await superuser.query<{ row: unknown }>(
    `SELECT to_jsonb(p) - 'created_at' - 'updated_at' AS row FROM parcels p UNION ALL SELECT to_jsonb(l) - 'id' FROM labels l ORDER BY 1`,
  );
  return rows.map(({ row }) => row);
}

const run = ({ config }: ScratchDatabase, options: Partial<SeedOptions> = {}) =>
  seed({ config, seeds, size: 50, ...options });

describe('seed', () => {
  it('adds the same rows to every database, whether it grew or not', async () => {
    const [grown, whole] = [await create(), await create()];
    await run(grown, { size: 10 });
    await run(grown, { size: 1_500 });
    const { inserted } = await run(whole, { size: 1_500 });
    const rows = await dump(whole);
    expect(rows).toHaveLength(inserted);
    expect(rows.length).toBeGreaterThan(1_500);
    expect(await dump(grown)).toEqual(rows);
    const strange = `SELECT FROM labels l JOIN parcels p ON p.id = l.parcel_id WHERE l.name NOT LIKE '% of ' || p.name`;
    expect((await whole.superuser.query(strange)).rowCount).toBe(0);
    const counts = 'SELECT DISTINCT count(*) FROM labels GROUP BY parcel_id';
    expect((await whole.superuser.query(counts)).rowCount).toBe(3);
  });

  it('keeps rows that their users changed, also as the parents of others', async () => {
    const database = await create();
    const { inserted } = await run(database);
    await database.superuser.query(`UPDATE parcels SET name = 'mine' WHERE name = 'Parcel 1'`);
    const before = await dump(database);
    await database.superuser.query(`DELETE FROM labels`);
    expect(await run(database)).toMatchObject({ inserted: before.length - 50, present: 50 });
    expect(await run(database)).toEqual({ inserted: 0, present: inserted });
    const { rows } = await database.superuser.query(`SELECT name FROM parcels WHERE name IN ('mine', 'Parcel 1')`);
    expect(rows).toEqual([{ name: 'mine' }]);
  });

  it('leaves out a row that collides with another of its user, and what would belong to it', async () => {
    const database = await create();
    await database.superuser.query(`CREATE UNIQUE INDEX ON parcels (owner_id, name)`);
    await database.superuser.query(`INSERT INTO parcels (owner_id, name) VALUES ('user_ada', 'Parcel 1')`);
    await run(database);
    const sql = `SELECT count(l.*)::int AS labels FROM parcels p LEFT JOIN labels l ON l.parcel_id = p.id WHERE p.name = 'Parcel 1'`;
    expect((await database.superuser.query(sql)).rows).toEqual([{ labels: 0 }]);
    expect((await database.superuser.query('SELECT FROM parcels')).rowCount).toBe(50);
  });

  it('does not bring back what a user deleted with ifEmpty, and fills a table that is new', async () => {
    const database = await create();
    await run(database, { seeds: { ...seeds, tables: [parcels] } });
    await database.superuser.query(`DELETE FROM parcels WHERE name = 'Parcel 1'`);
    await run(database, { ifEmpty: true });
    const sql = `SELECT (SELECT count(*)::int FROM parcels) AS parcels, EXISTS (SELECT FROM labels) AS labels`;
    expect((await database.superuser.query(sql)).rows).toEqual([{ parcels: 49, labels: true }]);
    expect(await run(database, { ifEmpty: true })).toEqual({ inserted: 0, present: 0 });
  });

  it('gives one user much, a few users some and many users little, and none the rows of another', async () => {
    const database = await create();
    await run(database, { size: 600 });
    const { rows } = await database.superuser.query<{ owner_id: string; rows: number }>(
      'SELECT owner_id, count(*)::int AS rows FROM parcels GROUP BY owner_id ORDER BY rows DESC',
    );
    expect(rows.slice(0, 3).map(({ owner_id }) => owner_id)).toEqual(sampleModel.seeds.users);
    expect(rows[0]?.rows).toBeGreaterThan(200);
    expect(rows.filter((owner) => owner.rows <= 5).length).toBeGreaterThan(20);
    const app = await database.connect('app');
    expect((await app.query('SELECT FROM parcels')).rowCount).toBe(0);
    await app.query(`SET app.user_id = 'user_ada'`);
    expect((await app.query('SELECT DISTINCT owner_id FROM parcels')).rows).toEqual([{ owner_id: 'user_ada' }]);
  });

  it('writes shared rows as the system, which is journalled', async () => {
    const database = await create();
    const shared = { ...seeds, tables: [countries, parcels] };
    expect(await run(database, { seeds: shared })).toEqual({ inserted: 55, present: 45 });
    const journal = `SELECT service, reason FROM ops.system_uses`;
    expect((await database.superuser.query(journal)).rows).toEqual([
      { service: 'airlock', reason: 'seed: sample rows of shared tables' },
    ]);
    const asUser = { ...seeds, tables: [{ ...countries, writer: 'user' as const }] };
    await database.superuser.query('DELETE FROM countries');
    await expect(run(database, { seeds: asUser })).rejects.toThrow(/^seeds of countries: .*row-level security policy/);
  });

  it('leaves out tables and columns that a later migration adds, for the linter', async () => {
    const database = await create();
    const tables = [withValues({ colour: 'red' }), { ...parcels, table: 'later' }];
    const report = await run(database, { seeds: { ...seeds, tables }, isPartial: true });
    expect(report).toEqual({ inserted: 50, present: 0 });
  });

  it('reports its progress', async () => {
    const seen: number[] = [];
    await run(await create(), { size: 1_500, onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([1_000, 1_500]);
  });

  it('adds every row once when two run at the same time', async () => {
    const [twice, once] = [await create(), await create()];
    const reports = await Promise.all([run(twice, { size: 2_500 }), run(twice, { size: 2_500 })]);
    const { inserted } = await run(once, { size: 2_500 });
    expect(reports.reduce((sum, report) => sum + report.inserted, 0)).toBe(inserted);
    expect(await dump(twice)).toEqual(await dump(once));
  });

  it('completes what a killed run began', async () => {
    const [killed, whole] = [await create(), await create()];
    await killed.superuser.query(`
      CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END';
      CREATE TRIGGER die BEFORE INSERT ON public.parcels FOR EACH ROW WHEN (NEW.name = 'Parcel 2500') EXECUTE FUNCTION public.die()`);
    await expect(run(killed, { size: 3_500 })).rejects.toThrow('terminating connection');
    await killed.superuser.query('DROP TRIGGER die ON public.parcels');
    const left = await dump(killed);
    expect((await killed.superuser.query('SELECT FROM parcels')).rowCount).toBe(2_000);
    await run(whole, { size: 3_500 });
    const rows = await dump(whole);
    expect(left.length).toBeLessThan(rows.length);
    await run(killed, { size: 3_500 });
    expect(await dump(killed)).toEqual(rows);
  });
});

describe('seed in staging', () => {
  const PARCEL = `INSERT INTO parcels (owner_id, name) VALUES ('user_1', 'Parcel of a user')`;
  const RESTAMP = 'UPDATE ops.environment SET created_at = now()';

  it('fills a database that was provisioned for it', async () => {
    await expect(run(await create('staging'))).resolves.toMatchObject({ present: 0 });
  });

  it('refuses a database that a refresh filled, and whatever was stamped after its migrations', async () => {
    const server = await startScratchCluster();
    try {
      const copied = { ...sampleModel, classes: await sampleModel.loadClasses() };
      const [source, target] = [
        await createDatabase(server, { environment: 'production', model: copied, sql: PARCEL }),
        await createDatabase(server, { environment: 'staging', model: copied }),
      ];
      const config = createConfig(target);
      const first = { config, seeds: sampleModel.seeds, size: 10 };
      await expect(seed(first)).resolves.toEqual({ inserted: 10, present: 0 });
      await runRefresh({ source, target, model: copied });
      await expect(seed(first)).rejects.toThrow(
        /^database "refresh\d+": holds a copy since 2.*, by a refresh or a restore; expected one that was provisioned empty\n/,
      );
      await expect(seed({ ...first, ifEmpty: true })).rejects.toThrow('holds a copy');
    } finally {
      await server.stop();
    }
  });

  it('ignores the order of stamp and migrations where no copies are taken', async () => {
    const database = await create('preview');
    await database.superuser.query(RESTAMP);
    await expect(run(database)).resolves.toMatchObject({ present: 0 });
  });
});

describe('seed refuses', () => {
  it('production, before it connects', async () => {
    const { config } = await cluster.create();
    const production = { ...config, environment: 'production' as Environment };
    await expect(seed({ seeds, config: production })).rejects.toThrow(
      'ENVIRONMENT: seeds are sample data, and this is production; expected development, testing, preview or staging',
    );
  });

  it('a database whose stamp names another environment', async () => {
    const { config, superuser } = await create('staging');
    const wrong = { ...config, environment: 'preview' as Environment };
    await expect(seed({ seeds, config: wrong })).rejects.toThrow('the database belongs to another environment');
    expect((await superuser.query('SELECT FROM parcels')).rowCount).toBe(0);
  });

  it.each([
    [
      'a table that does not exist',
      [{ ...parcels, table: 'nothing' }],
      /no table public.nothing; expected it\n {2}airlock db migrate/,
    ],
    [
      'a column that does not exist',
      [withValues({ colour: 'red' })],
      /^seeds of parcels: colour: the table has no such columns; expected colour\n/,
    ],
    [
      'rows with different properties',
      [withVarying()],
      /^seeds of parcels: rows have different properties: id, name, ownerId and id, ownerId; expected the same in each$/,
    ],
    [
      'a row without its key',
      [withValues({ id: undefined })],
      /^seeds of parcels: rows state no id; expected each property of their key$/,
    ],
    [
      'a row of another user',
      [withValues({ ownerId: 'user_2' })],
      /^seeds of parcels: .*row-level security policy.*; expected rows that the table accepts/,
    ],
    ['a row that breaks a constraint', [withValues({ name: '' })], /^seeds of parcels: .*parcels_name_length/],
    [
      'a list in the wrong order',
      [labels, parcels],
      /^seeds of labels: belong to rows of parcels, which is not before it in the list; expected it before$/,
    ],
  ] as [string, TableSeeds[], RegExp][])('%s', async (_, tables, message) => {
    const database = await create();
    await expect(run(database, { seeds: { ...seeds, tables } })).rejects.toThrow(message);
    expect(await dump(database)).toEqual([]);
  });
});

function withValues(values: object): TableSeeds {
  return {
    ...parcels,
    create: ({ userId, sample }) => [{ id: sample.id(sample.date()), ownerId: userId, name: 'x', ...values }],
  };
}

function withVarying(): TableSeeds {
  return {
    ...parcels,
    create: ({ userId, index, sample }) => [
      { id: sample.id(sample.date()), ownerId: userId, ...(index === 0 && { name: 'x' }) },
    ],
  };
}
