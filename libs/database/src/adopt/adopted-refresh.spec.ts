import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { migrate } from '../migrate/migrate.js';
import type { Classes } from '../model/column-classes.js';
import { defineMigration, type Migration } from '../model/migration.js';
import { ask, createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision } from '../provision/provision.js';
import { createConfig, makeCopy, runRefresh } from '../refresh/refresh.fixture.js';
import { type AdoptionPlace, draftBaseline } from './adopt.js';
import { adoptWith, createBookshop, inPlace, plantBookshop } from './adoption.fixture.js';
import { suggestClasses } from './suggest-classes.js';

let cluster: Cluster;
let production: AdoptionPlace;
let staging: AdoptionPlace;
let migrations: readonly Migration[];
let suggested: Classes;
const addRank = defineMigration({
  name: '20270101000000-add-rank',
  phase: 'expand',
  statements: ['ALTER TABLE public.authors ADD COLUMN rank integer'],
});

beforeAll(async () => {
  cluster = await startScratchCluster();
  await plantBookshop(cluster);
  production = await createBookshop(cluster, { name: 'shop_production' });
  const { statements, tables, foreignKeys } = await draftBaseline(production, []);
  const baseline = defineMigration({ name: '20260101000000-baseline', phase: 'expand', isBaseline: true, statements });
  migrations = [baseline, addRank];
  suggested = suggestClasses(tables, foreignKeys);
  await adoptWith(production, baseline);
  await migrate({ config: createConfig(production), migrations });
  await makeCopy(production);
  staging = createAddresses(cluster, 'shop_staging', 'staging');
  await provision(staging);
  await migrate({ config: createConfig(staging), migrations });
}, 60_000);
afterAll(() => cluster.stop());

const refreshWith = (classes: Classes) =>
  runRefresh({ source: production, target: staging, model: { migrations, classes } });
const askIn = (place: AdoptionPlace, sql: string) => runAs(inPlace(place), (client) => ask(client, sql));
/** What a person adds to the suggestions: the new column, and a text whose check no other text passes. */
const correct = (classes: Classes): Classes => ({
  ...classes,
  authors: { ...classes['authors'], rank: 'internal' },
  page_views: { ...classes['page_views'], path: 'internal' },
});

describe('a refresh of an adopted database', () => {
  it('copies nothing while every class is secret', async () => {
    const secret = Object.entries(suggested).map(([table, columns]) => [
      table,
      Object.fromEntries(Object.keys(columns).map((name) => [name, 'secret' as const])),
    ]);
    const classes = Object.fromEntries(secret) as Classes;
    const closed = { ...classes, authors: { ...classes['authors'], rank: 'secret' } } as Classes;
    await expect(refreshWith(closed)).rejects.toThrow('no table has a row');
  });

  it('works with the suggested classes, and no value of a person or a secret crosses', async () => {
    const { rows, from } = await refreshWith(correct(suggested));
    expect(from.environment).toBe('production');
    expect(rows).toMatchObject({
      customers: 40,
      orders: 40,
      order_items: 120,
      reviews: 40,
      page_views: 80,
      books: 12,
      migrations: 3,
    });
    for (const table of ['customer_credentials', 'api_keys']) expect(rows[table] ?? 0).toBe(0);
    await runAs(inPlace(staging), async (client) => {
      const { rows: tables } = await client.query<{ name: string }>(
        `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace`,
      );
      let everything = '';
      for (const { name } of tables)
        everything += String(await ask(client, `SELECT string_agg(t::text, chr(10)) FROM ${name} t`));
      expect(everything).not.toMatch(
        /Given\d|Family\d|reader\d|Rue Secrete|hash-of|key-that-never|10\.1\.2\.|Nick\d|DE00|Quist|5550\d/,
      );
      expect(
        await ask(
          client,
          'SELECT count(*)::int FROM orders JOIN customers c ON c.id = customer_id JOIN addresses a ON a.id = address_id',
        ),
      ).toBe(40);
      expect(await ask(client, 'SELECT count(*)::int FROM reviews r JOIN customers c ON c.id = r."customerId"')).toBe(
        40,
      );
    });
    expect(await askIn(staging, 'SELECT count(*)::int FROM books WHERE title LIKE $$Book%$$')).toBe(0);
  });
});
