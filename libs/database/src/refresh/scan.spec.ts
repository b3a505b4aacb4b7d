import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Classes } from '../model/column-classes.js';
import { runAs } from '../provision/provision.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';
import { everyType, plantPeople } from './every-type.fixture.js';
import { createDatabase, inside, runRefresh } from './refresh.fixture.js';
import { openSnapshot } from './assert-source.js';
import { KeyedHash } from './masks/keyed-hash.js';
import { listSourceColumns } from './mask-rows.js';
import { planCopy } from './plan-copy.js';
import { readForeignKeys, readTables } from './read-tables.js';
import { startScan } from './scan.js';

let cluster: Cluster;
let source: ProvisionOptions;
let target: ProvisionOptions;

beforeAll(async () => {
  cluster = await startScratchCluster();
  source = await createDatabase(cluster, { environment: 'production', model: everyType, sql: plantPeople(300) });
  target = await createDatabase(cluster, { environment: 'staging', model: everyType });
  await runRefresh({ source, target, model: everyType });
}, 120_000);
afterAll(() => cluster.stop());

/** Puts a value into the result, scans it, and takes the value out again. */
function scanWith(sql: string, mostHashes?: number): Promise<unknown> {
  return runAs(inside(source), (from) =>
    runAs(inside(target), async (client) => {
      await client.query(
        `BEGIN; ALTER TABLE people DISABLE TRIGGER ALL; ALTER TABLE orders DISABLE TRIGGER ALL; ${sql}`,
      );
      const found = await scanAll(from, client, mostHashes).catch((error: unknown) => error);
      await client.query('ROLLBACK');
      return found;
    }),
  );
}

/** Shows the scan what a refresh reads from the source. */
async function scanAll(from: Client, client: Client, mostHashes?: number): Promise<number> {
  const { classes } = everyType;
  await openSnapshot(from, { isPart: false });
  try {
    const [tables, foreignKeys] = [await readTables(client), await readForeignKeys(client)];
    const scan = await startScan({
      source: from,
      target: client,
      classes,
      foreignKeys,
      canaries: [],
      ...(mostHashes && { mostHashes }),
    });
    for (const plan of planCopy({ tables, foreignKeys, classes }, new KeyedHash('any', 'any'))) {
      const names = listSourceColumns(plan);
      const rows = `COPY (SELECT ${names.join(', ')} FROM public.${plan.table}) TO STDOUT`;
      const watch = scan.watch(plan.table, names);
      for await (const chunk of from.query(copyTo(rows))) watch(chunk as Buffer);
      await scan.check(plan.table);
    }
    return await scan.finish();
  } finally {
    await from.query('ROLLBACK');
  }
}

describe('scan', () => {
  it('accepts the result of a refresh', async () => {
    expect(await scanWith('SELECT 1')).toEqual(expect.any(Number));
  });

  it('accepts what looks like an address by chance, in bytes that are not text', async () => {
    const sql = `UPDATE people SET photo = '\\x00ff'::bytea || convert_to('a@b.de', 'UTF8') || '\\xff00' WHERE id = 1`;
    expect(await scanWith(sql)).toEqual(expect.any(Number));
  });

  it.each([
    [
      'text',
      `UPDATE people SET full_name = 'cAnArY Name 7' WHERE id = 1`,
      'people.full_name: 1 values are those of the source',
    ],
    [
      'citext in another case',
      `UPDATE people SET email = 'cANARY7@REAL-mail.com' WHERE id = 1`,
      'people.email: 1 values are those of the source',
    ],
    [
      'an element of an array',
      `UPDATE people SET tags[1] = 'cAnArY,{7' WHERE id = 1`,
      'people.tags: 1 values are those of the source',
    ],
    [
      'a leaf of a document',
      `UPDATE people SET doc = '{"deep": [{"x": "cAnArY street 7"}]}' WHERE id = 1`,
      'people.doc: 1 values are those of the source',
    ],
    [
      'bytea',
      `UPDATE people SET photo = 'cAnArYphoto7' WHERE id = 1`,
      'people.photo: 1 values are those of the source',
    ],
    [
      'uuid',
      `UPDATE people SET token = md5('token7')::uuid WHERE id = 1`,
      'people.token: 1 values are those of the source',
    ],
    ['inet', `UPDATE people SET ip = '93.184.0.7' WHERE id = 1`, 'people.ip: 1 values are those of the source'],
    [
      'a domain',
      `UPDATE people SET pin = 'a cAnArY pin 7' WHERE id = 1`,
      'people.pin: 1 values are those of the source',
    ],
    ['char', `UPDATE people SET code = 'cAnArY7' WHERE id = 1`, 'people.code: 1 values are those of the source'],
    [
      'a secret',
      `UPDATE people SET password = 'cAnArYpassword' WHERE id = 1`,
      'people.password: 1 values are those of the source',
    ],
    [
      'a key',
      `UPDATE orders SET user_id = 'user_cAnArY7' WHERE id = (SELECT id FROM orders LIMIT 1)`,
      'orders.user_id: 1 values are those of the source',
    ],
    [
      'a date of its own row',
      `UPDATE people SET born = date '1950-01-01' + 7 WHERE id = 7`,
      'people.born: 1 values are those of the source',
    ],
    [
      'a number of its own row',
      `UPDATE people SET score = 200007 WHERE id = 7`,
      'people.score: 1 values are those of the source',
    ],
    [
      'a number in an array of its own row',
      `UPDATE people SET numbers[1] = 70007 WHERE id = 7`,
      'people.numbers: 1 values are those of the source',
    ],
    [
      'an enum of its own row',
      `UPDATE people SET mood = 'calm' WHERE id = 7`,
      'people.mood: 1 values are those of the source',
    ],
    [
      'money of its own row',
      `UPDATE measures SET paid = (1000.25 + 7)::numeric::money WHERE id = 7`,
      'measures.paid: 1 values are those of the source',
    ],
    [
      'an interval of its own row',
      `UPDATE measures SET took = make_interval(days => 107, secs => 10.25) WHERE id = 7`,
      'measures.took: 1 values are those of the source',
    ],
    [
      'a range of dates of its own row',
      `UPDATE measures SET stay = daterange(date '1950-01-08', date '1950-01-18') WHERE id = 7`,
      'measures.stay: 1 values are those of the source',
    ],
    [
      'a range of times of its own row',
      `UPDATE measures SET busy = (SELECT tstzrange(t, t + interval '2 hours') FROM (SELECT timestamptz '2026-01-01 10:07:00.123456+00' AS t) s) WHERE id = 7`,
      'measures.busy: 1 values are those of the source',
    ],
    [
      'a domain of a range of its own row',
      `UPDATE measures SET span = int4range(2014, 3014) WHERE id = 7`,
      'measures.span: 1 values are those of the source',
    ],
    [
      'a multirange of its own row',
      `UPDATE measures SET stays = datemultirange(daterange(date '1950-01-08', date '1950-01-09'), daterange(date '1950-01-13', NULL)) WHERE id = 7`,
      'measures.stays: 1 values are those of the source',
    ],
    [
      'a point of its own row',
      `UPDATE measures SET spot = point(59.5, -20.25) WHERE id = 7`,
      'measures.spot: 1 values are those of the source',
    ],
    [
      'a box of its own row',
      `UPDATE measures SET area = box(point(17, 20), point(5, 6)) WHERE id = 7`,
      'measures.area: 1 values are those of the source',
    ],
    [
      'a circle of its own row',
      `UPDATE measures SET ring = circle(point(7, 11), 37) WHERE id = 7`,
      'measures.ring: 1 values are those of the source',
    ],
    [
      'a path of its own row',
      `UPDATE measures SET track = path(polygon(box(point(7, 1), point(2, 3)))) WHERE id = 7`,
      'measures.track: 1 values are those of the source',
    ],
    [
      'a polygon of its own row',
      `UPDATE measures SET field = polygon(box(point(77, 10), point(21, 31))) WHERE id = 7`,
      'measures.field: 1 values are those of the source',
    ],
    [
      'a line segment of its own row',
      `UPDATE measures SET edge = lseg(point(7, 10), point(44, 55)) WHERE id = 7`,
      'measures.edge: 1 values are those of the source',
    ],
    [
      'bits of its own row',
      `UPDATE measures SET flags = 1007::bit(12) WHERE id = 7`,
      'measures.flags: 1 values are those of the source',
    ],
    [
      'bits of any length of its own row',
      `UPDATE measures SET more = 4103::bit(16)::varbit WHERE id = 7`,
      'measures.more: 1 values are those of the source',
    ],
    [
      'a unique inet of its own row',
      `UPDATE measures SET host = '93.185.0.7' WHERE id = 7`,
      'measures.host: 1 values are those of the source',
    ],
    [
      'macaddr8 of its own row',
      `UPDATE measures SET chip = '08:00:2b:01:02:03:04:17' WHERE id = 7`,
      'measures.chip: 1 values are those of the source',
    ],
    [
      'ltree of its own row',
      `UPDATE measures SET place = 'cAnArY.of_7' WHERE id = 7`,
      'measures.place: 1 values are those of the source',
    ],
    [
      'an array of money of its own row',
      `UPDATE measures SET fees = ARRAY[707.5::numeric::money] WHERE id = 7`,
      'measures.fees: 1 values are those of the source',
    ],
    [
      'an array of points of its own row',
      `UPDATE measures SET spots = ARRAY[point(7, 7.5)] WHERE id = 7`,
      'measures.spots: 1 values are those of the source',
    ],
    [
      'an array of intervals of its own row',
      `UPDATE measures SET lasts = ARRAY[make_interval(years => 3, mins => 77)] WHERE id = 7`,
      'measures.lasts: 1 values are those of the source',
    ],
    [
      'an array in a composite value',
      `UPDATE measures SET who = ('x', ARRAY['cAnArY "{in}" 7'], NULL) WHERE id = 1`,
      'measures.who: 1 values are those of the source',
    ],
    [
      'a composite value in an array',
      `UPDATE measures SET others = ARRAY[('cAnArY other, 7', NULL, NULL)::contact] WHERE id = 1`,
      'measures.others: 1 values are those of the source',
    ],
    [
      'a row of a secret table',
      `INSERT INTO sessions (cookie, user_id) VALUES ('cAnArYcookie', 'x')`,
      'sessions.cookie: 1 values are those of the source',
    ],
    [
      'a mail address in a document',
      `UPDATE people SET doc = '{"x": "write to jane@corp.co.uk"}' WHERE id = 1`,
      'people.doc: 1 mail addresses outside of example.org',
    ],
    [
      'a mail address that only begins like ours',
      `UPDATE people SET notes = 'a@example.org.evil.com' WHERE id = 1`,
      'people.notes: 1 mail addresses outside of example.org',
    ],
    [
      'a mail address in a text between other bytes',
      `UPDATE people SET photo = '\\x00ff'::bytea || convert_to('to: jane@real-corp.com', 'UTF8') || '\\xff00' WHERE id = 1`,
      'people.photo: 1 mail addresses outside of example.org',
    ],
    [
      'a phone number in bytea',
      `UPDATE people SET photo = 'call +49 151 23456789' WHERE id = 1`,
      'people.photo: 1 phone numbers',
    ],
    [
      'a card number behind an escape in a document',
      `UPDATE people SET doc = '{"x": "a\\n4111 1111 1111 1111"}' WHERE id = 1`,
      'people.doc: 1 card numbers',
    ],
    [
      'a mail address in capitals at the end of an array',
      `UPDATE people SET tags = '{a,JANE@CORP.COM}' WHERE id = 1`,
      'people.tags: 1 mail addresses outside of example.org',
    ],
    [
      'every row of a column',
      `UPDATE people SET full_name = 'cAnArY Name ' || id`,
      'people.full_name: 300 values are those of the source',
    ],
    [
      'a card number in an array',
      `UPDATE people SET tags[1] = 'card 4111 1111 1111 1111' WHERE id = 1`,
      'people.tags: 1 card numbers',
    ],
  ])('finds %s', async (_, sql, finding) => {
    const error = await scanWith(sql);
    expect(error).toMatchObject({ name: 'RefreshFailure', reason: 'LeakFound' });
    expect((error as Error).message.split('\n')).toContain(`  ${finding}`);
    expect((error as Error).message).not.toMatch(/canary|jane|corp/i);
  });
});

describe('the scan of a table with more values than fit into memory', () => {
  it.each([
    ['user_id', `'user_cAnArY7'`, 1],
    ['born', `date '1950-01-08'`, 7],
    ['doc', `'{"deep": "cAnArY street 7"}'`, 1],
    ['diagnosis', `'cAnArY diagnosis 2'`, 1],
  ])('finds each value in %s', async (column, value, id) => {
    const error = await scanWith(`UPDATE people SET ${column} = ${value} WHERE id = ${id}`, 3000);
    expect((error as Error).message.split('\n')).toContain(`  people.${column}: 1 values are those of the source`);
  });

  it('accepts the result of a refresh', async () => {
    expect(await scanWith('SELECT 1', 3000)).toEqual(expect.any(Number));
  });
});

/** How many findings a text is, by expressions of the server: each card number counts. */
const MAIL = String.raw`[a-z0-9._%+-]+@(?!([a-z0-9-]+\.)*(example\.(org|com|net)|example|test|invalid|localhost)\.?([^a-z0-9.-]|$))([a-z0-9-]+\.)+[a-z]{2,}`;
const PHONE = String.raw`(^|[^0-9a-z+])\+(?!999)[1-9][0-9][0-9 ()./-]{6,16}[0-9]`;
const CARD = String.raw`(?:^|[^0-9a-z.+-])([2-6][0-9](?:[ -]?[0-9]){11,17})(?![0-9a-z.-])`;
const HAS_CHECK_DIGIT = `digits <> repeat(left(digits, 1), length(digits)) AND (
  SELECT sum(CASE WHEN place % 2 = 1 THEN digit::int ELSE digit::int * 2 % 10 + digit::int / 5 END) % 10 = 0
    FROM regexp_split_to_table(reverse(digits), '') WITH ORDINALITY n (digit, place))`;
const SIMPLE = `SELECT
  (SELECT count(*)::int FROM texts, regexp_matches(plain, '${CARD}', 'gi') m,
     LATERAL (SELECT regexp_replace(m[1], '[^0-9]', '', 'g') AS digits) d WHERE ${HAS_CHECK_DIGIT}) AS "card numbers",
  (SELECT count(*)::int FROM texts WHERE plain ~* '${MAIL}') AS "mail addresses outside of example.org",
  (SELECT count(*)::int FROM texts WHERE plain ~* '${PHONE}') AS "phone numbers"`;
const PIECES = [
  ...[
    '@',
    '+',
    '.',
    '-',
    '_',
    ' ',
    '\n',
    '\t',
    '"',
    '\\',
    ',',
    '}',
    '{',
    '(',
    ')',
    '/',
    '%',
    'a',
    'Z',
    'é',
    '1',
    '4',
    '9',
    '0',
    '12',
    '999',
  ],
  ...[
    'example',
    'example.org',
    '@example.org',
    'example.com',
    '.test',
    'localhost',
    'com',
    'mail',
    'x@y.de',
    '\\u0034',
    '\\n',
  ],
  ...[
    '4242 4242 4242 4242',
    '4242-4242-4242-4242',
    '4242424242424242',
    '4242424242424241',
    '4222222222222',
    '+49 30 1234567',
    '+999 30 1234567',
  ],
];

describe('the patterns of the scan', () => {
  it('are found in every text that has one, whatever is around it', async () => {
    const piece = () => PIECES[Math.floor(Math.random() * PIECES.length)] ?? '';
    const texts = Array.from({ length: 6_000 }, () =>
      Array.from({ length: 1 + Math.floor(Math.random() * 8) }, piece).join(''),
    );
    const { expected, found } = await runAs(inside(target), async (client) => {
      await client.query('BEGIN; CREATE TABLE texts (plain text, list text[], document jsonb, raw json, bytes bytea)');
      const columns = [
        ['plain', 'v'],
        ['list', `ARRAY['a', v, 'b']`],
        ['document', `jsonb_build_object('k', v)`],
        ['raw', `json_build_object('k', v)`],
        ['bytes', `convert_to(v, 'UTF8')`],
      ];
      for (const [column, value] of columns)
        await client.query(`INSERT INTO texts (${column}) SELECT ${value} FROM unnest($1::text[]) v`, [texts]);
      const classes: Classes = {
        ...everyType.classes,
        texts: Object.fromEntries(columns.map(([name]) => [name!, 'internal' as const])),
      };
      const scan = await startScan({
        ...{ source: client, target: client, foreignKeys: [], canaries: [] },
        classes,
      });
      await scan.check('texts');
      const { message } = await scan.finish().then<Error, Error>(
        () => new Error('nothing was found'),
        (error: Error) => error,
      );
      const { rows } = await client.query<Record<string, number>>(SIMPLE);
      await client.query('ROLLBACK');
      const lines = message.split('\n').filter((line) => line.startsWith('  texts.'));
      return { expected: Object.entries(rows[0]!), found: lines.map((line) => line.trim()) };
    });
    for (const [, count] of expected) expect(count).toBeGreaterThan(100);
    expect(found).toEqual(
      ['bytes', 'document', 'list', 'plain', 'raw'].flatMap((column) =>
        expected.map(([what, count]) => `texts.${column}: ${count} ${what}`),
      ),
    );
  });
});
