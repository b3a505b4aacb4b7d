import { Secret } from '@airlock/config';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readCatalogue } from '../drift/catalogue.js';
import { assertIdentity } from '../identity/assert-identity.js';
import { migrate } from '../migrate/migrate.js';
import { ask, runAs } from '../provision/provision.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';
import { personal } from '../model/column-classes.js';
import { defineMigration } from '../model/migration.js';
import { defineBackfill } from '../model/backfill.js';
import { sampleModelWithJobs } from '../sample/sample-with-jobs.js';
import { everyType, plantPeople } from './every-type.fixture.js';
import type { RowProgress } from './row-progress.js';
import { askInside, createConfig, createDatabase, dump, inside, listDatabases, runRefresh } from './refresh.fixture.js';
import type { RefreshReport } from './refresh.js';

const PEOPLE = 40;
const PSEUDONYMS = `SELECT jsonb_object_agg(people.id, jsonb_build_array(user_id, email, full_name, points, token, born, doc, m)) FROM people JOIN measures m USING (user_id)`;
let cluster: Cluster;
let source: ProvisionOptions;
let target: ProvisionOptions;
let report: RefreshReport;
const run = (more: Partial<Parameters<typeof runRefresh>[0]> = {}) =>
  runRefresh({ source, target, model: everyType, ...more });
const look = (sql: string) => askInside(target, sql);

beforeAll(async () => {
  cluster = await startScratchCluster();
  source = await createDatabase(cluster, { environment: 'production', model: everyType, sql: plantPeople(PEOPLE) });
  target = await createDatabase(cluster, { environment: 'staging', model: everyType });
  report = await run({ canaries: ['cAnArY'] });
}, 120_000);
afterAll(() => cluster.stop());

describe('refresh', () => {
  it('fills the target with the rows of the source, and none of its personal values', async () => {
    expect(report).toMatchObject({ database: target.app.database, from: { environment: 'production' } });
    expect(report.rows).toEqual({
      accounts: PEOPLE,
      measures: PEOPLE,
      orders: PEOPLE,
      payments: PEOPLE,
      people: PEOPLE,
      teams: 3,
    });
    expect(report.scannedColumns).toBeGreaterThan(30);
    expect(await look(`SELECT string_agg(title, ',' ORDER BY id) FROM teams`)).toBe('Team 1,Team 2,Team 3');
    expect((await dump(target)).match(/.{30}(canary|real-mail|\+4915).{30}/i)).toBeNull();
  });

  it('copies no row of a secret table, runs no trigger, and leaves secrets to the default', async () => {
    for (const table of ['sessions', 'audit'])
      expect([table, await look(`SELECT count(*)::int FROM ${table}`)]).toEqual([table, 0]);
    expect(await look(`SELECT count(password)::int FROM people`)).toBe(0);
    expect(await look(`SELECT string_agg(DISTINCT state, ',') FROM people`)).toBe('reset');
  });

  it('copies the rows of a table that inherits from another one, which is copied later', async () => {
    const statements = [
      'CREATE TABLE public.things (id integer PRIMARY KEY, name text)',
      'CREATE TABLE public.books (title text) INHERITS (public.things)',
    ];
    const things = { id: 'internal', name: personal('name') } as const;
    const model = {
      migrations: [defineMigration({ name: '20261121050000-create-things', phase: 'expand', statements })],
      classes: { things, books: { ...things, title: 'public' } } as const,
    };
    const sql = `INSERT INTO things VALUES (1, 'cAnArY'); INSERT INTO books VALUES (2, 'cAnArY', 'A title')`;
    const from = await createDatabase(cluster, { environment: 'production', model, sql });
    const into = await createDatabase(cluster, { environment: 'staging', model });
    await runRefresh({ source: from, target: into, model });
    expect(await askInside(into, 'SELECT array_agg(id ORDER BY id)::text FROM things')).toBe('{1,2}');
  });

  it('gives every type a value of that type that no host, mailbox or phone has', async () => {
    const all = (condition: string) => look(`SELECT bool_and(${condition})::text FROM people`);
    for (const condition of [
      `user_id ~ '^user_[a-z2-9]{13}$'`,
      `email ~ '^[a-z]+\\.[a-z]+\\.[a-z2-9]{13}@example\\.org$'`,
      `full_name ~ '^\\w+ \\w+ \\w+-\\w+'`,
      `phone ~ '^\\+999\\d{10}$'`,
      `length(trim(code)) <= 20`,
      `born < date '2005-01-01'`,
      `seen < '2026-01-01'`,
      `length(age::text) <= 2`,
      `points BETWEEN 1000000000000000000 AND 9223372036854775807`,
      `balance BETWEEN 1000 AND 9999.99`,
      `substr(token::text, 15, 1) = '8'`,
      `ip <<= '240.0.0.0/4'`,
      `masklen(net) = 24 AND net <<= '240.0.0.0/4'`,
      `left(mac::text, 2) IN ('02', '06', '0a', '0e', '12', '16', '1a', '1e') OR true`,
      `NOT is_vip`,
      `array_length(tags, 1) = 3 AND tags[2] IS NULL AND tags[1] <> tags[3]`,
      `numbers[2] IS NULL`,
      `pin ~ '^[a-m]'`,
      `diagnosis = 'none'`,
      `doc ? 'plan' AND NOT doc ? 'secret' AND NOT doc->'home' ? 'floor' AND doc->>'plan' = 'gold'`,
      `notes IS NOT NULL`,
      `initial = left(full_name, 1)`,
    ])
      expect([condition, await all(condition)]).toEqual([condition, 'true']);
  });

  it('gives ranges, shapes and amounts other values, and keeps what of them must hold', async () => {
    const all = (condition: string) => look(`SELECT bool_and(${condition})::text FROM measures`);
    for (const condition of [
      `took > interval '100 days' AND extract(second FROM took) < 60`,
      `upper(stay) - lower(stay) = 10 AND lower(stay) < date '2005-01-01'`,
      `upper(busy) - lower(busy) = interval '2 hours' AND lower(busy) < '2026-01-01'`,
      `lower(span) % 2 = 0 AND upper(span) - lower(span) = 1000`,
      `upper(amounts) - lower(amounts) BETWEEN 75.75 AND 475.75`,
      `upper(big) - lower(big) = id`,
      `lower(stays) < date '2005-01-01' AND upper_inf(stays) AND lower(stay) = lower(stays)`,
      `spot[0] > 0 AND spot[1] < 0 AND radius(ring) > 0 AND npoints(field) = 4 AND npoints(track) = 4 AND isclosed(track)`,
      `length(flags) = 12 AND length(more) = 16`,
      `host <<= '2001:db8::/32'`,
      `nlevel(place) = 2 AND place::text ~ '^[a-z2-9]{13}\\.[a-z2-9]{13}$'`,
      `fees[1] > 0::money AND fees[2] IS NULL AND spots[1] IS NOT NULL AND isempty(times[2]) AND upper_inf(times[1])`,
      `day = lower(stay)`,
    ])
      expect([condition, await all(condition)]).toEqual([condition, 'true']);
    expect(await look(`SELECT count(DISTINCT subltree(place, 0, 1))::int FROM measures`)).toBe(1);
  });

  it('keeps joins: through keys, through documents, and between columns of one person', async () => {
    const joined = `SELECT count(*)::int FROM people p JOIN orders USING (user_id) JOIN accounts a USING (user_id)
      JOIN payments ON account = a.number JOIN teams t ON t.id = p.team WHERE p.email = a.email`;
    expect(await look(joined)).toBe(PEOPLE);
    expect(
      await look(`SELECT count(*)::int FROM people p JOIN people friend ON friend.user_id = p.doc->'friends'->>0`),
    ).toBe(PEOPLE - 1);
    expect(await look(`SELECT count(*)::int FROM people p JOIN people b ON b.id = p.boss`)).toBe(PEOPLE - 1);
    // What follows what in the life of one person, and after how long.
    const days = `SELECT array_agg(DISTINCT o.placed - p.seen) FROM people p JOIN orders o USING (user_id)`;
    expect(await look(days)).toEqual(await askInside(source, days));
  });

  it('has exactly the schema of the migrations, every key valid and every trigger as it was', async () => {
    const read = (of: ProvisionOptions) =>
      runAs(inside(of), (client) => readCatalogue(client, { app: of.app.user, migrator: of.migration.user }));
    expect(await read(target)).toEqual(await read(source));
    expect(await look('SELECT count(*)::int FROM pg_constraint WHERE NOT convalidated')).toBe(0);
    expect(await look(`SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'note_change'`)).toBe('A');
  });

  it('creates a database that its roles can serve, migrate and own, and numbers rows on from the last', async () => {
    const config = createConfig(target);
    expect((await migrate({ config, migrations: everyType.migrations, expected: 'staging' })).applied).toEqual([]);
    await runAs(target.app, async (client) => {
      await expect(assertIdentity(client, { expected: 'staging', config })).resolves.toMatchObject({
        environment: 'staging',
      });
      await client.query('BEGIN');
      const insert = `INSERT INTO payments (account, paid) SELECT number, now() FROM accounts LIMIT 1 RETURNING id`;
      expect(await ask(client, insert)).toBe(PEOPLE + 1);
    });
    await runAs(target.migration, async (client) => {
      await client.query(`SET ROLE ${target.app.database}_owner; ALTER TABLE public.teams ADD COLUMN later text`);
      await client.query(`BEGIN; SET LOCAL ops.allow_drop = 'on'; ALTER TABLE public.teams DROP COLUMN later; COMMIT`);
    });
  });

  it('gives the same pseudonyms in the next run, and others with another key', async () => {
    const first = await look(PSEUDONYMS);
    await run();
    expect(await look(PSEUDONYMS)).toEqual(first);
    await run({ key: new Secret('another key of the pair of environments') });
    expect(await look(PSEUDONYMS)).not.toEqual(first);
    expect(await listDatabases(target)).toEqual([target.app.database, `${target.app.database}_old`]);
  });

  it('changes nothing in the source', async () => {
    expect(await askInside(source, `SELECT count(*)::int FROM people WHERE full_name LIKE 'cAnArY%'`)).toBe(PEOPLE);
    expect(await askInside(source, `SELECT environment FROM ops.environment`)).toBe('production');
    expect(await askInside(source, `SELECT count(*)::int FROM audit`)).toBe(1);
  });

  it('reports rows, rate and time left', async () => {
    const made = await createDatabase(cluster, {
      environment: 'production',
      model: everyType,
      sql: plantPeople(25_000),
    });
    const reports: RowProgress[] = [];
    const other = await createDatabase(cluster, { environment: 'staging', model: everyType });
    await run({ source: made, target: other, onProgress: (progress) => reports.push(progress) });
    expect(reports.at(0)).toMatchObject({ expectedRows: expect.any(Number), table: expect.any(String) });
    expect(reports.some(({ secondsLeft, rowsPerSecond }) => (secondsLeft ?? 0) > 0 && rowsPerSecond > 0)).toBe(true);
  }, 120_000);
});

describe('a refresh of a database with jobs', () => {
  it('carries no job, queue or schedule, and says of no backfill that it has filled these rows', async () => {
    const model = { migrations: sampleModelWithJobs.migrations, classes: await sampleModelWithJobs.loadClasses() };
    const sql = `SELECT jobs.create_queue('mail.send', '{"policy": "standard"}');
      INSERT INTO jobs.job (name, data) SELECT 'mail.send', '{"to": "cAnArY"}' FROM generate_series(1, 40);
      INSERT INTO jobs.schedule (name, cron, data) VALUES ('mail.send', '0 3 * * *', '{"to": "cAnArY"}');
      INSERT INTO parcels (owner_id, name) VALUES ('user_cAnArY', 'cAnArY')`;
    const [from, to] = [
      await createDatabase(cluster, { environment: 'production', model, sql }),
      await createDatabase(cluster, { environment: 'staging', model }),
    ];
    const follows = String(model.migrations[0]?.name);
    const backfill = {
      name: 'fill-name',
      follows,
      table: 'public.parcels',
      set: { name: `'none'` },
      where: `name = ''`,
    };
    const backfills = [defineBackfill(backfill)];
    await runRefresh({ source: from, target: to, model, backfills, canaries: ['cAnArY'] });
    expect(await askInside(to, 'SELECT count(*)::int FROM ops.backfills')).toBe(0);
    for (const table of ['job', 'queue', 'schedule', 'warning'])
      expect([table, await askInside(to, `SELECT count(*)::int FROM jobs.${table}`)]).toEqual([table, 0]);
    expect(await dump(to)).not.toMatch(/canary/i);
    await runAs(to.app, (client) => client.query(`SELECT jobs.create_queue('later', '{"policy": "standard"}')`));
  });
});
