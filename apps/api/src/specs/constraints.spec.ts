import { type Constraints, Database } from '@airlock/service';
import { mergeConstraints, translateError } from '@airlock/service/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { api as apiDefinition } from '../api.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const URL = '/api/v1/entities';
const SECRET = 'value-that-stays-inside';

describe('a broken constraint', () => {
  const api = useTestApi();
  const rules: Constraints = {
    stays_pkey: { detail: 'A stay with this id exists already.' },
    stays_room_key: { pointer: '#/room', detail: 'is taken by another stay' },
    stays_room_idx: { pointer: '#/room', detail: 'is taken by another stay' },
    stays_name_length: { pointer: '#/name', detail: 'has a length that is not allowed' },
    stays_name_not_null: { pointer: '#/name', detail: 'is required' },
    stays_host_fkey: { pointer: '#/hostId', detail: 'does not exist' },
    stays_days_excl: { pointer: '#/days', detail: 'overlaps another stay' },
    percent_check: { pointer: '#/percent', detail: 'is not from 0 to 100' },
  };

  beforeAll(async () => {
    const admin = await api.database.admin();
    await admin.query(`
      CREATE DOMAIN percent AS int CONSTRAINT percent_check CHECK (VALUE BETWEEN 0 AND 100);
      CREATE TABLE stays (
        id int CONSTRAINT stays_pkey PRIMARY KEY,
        room text CONSTRAINT stays_room_key UNIQUE,
        name text NOT NULL CONSTRAINT stays_name_length CHECK (char_length(name) < 40),
        host_id int CONSTRAINT stays_host_fkey REFERENCES stays DEFERRABLE INITIALLY DEFERRED,
        days daterange,
        percent percent,
        unlisted int CONSTRAINT stays_unlisted CHECK (unlisted > 0),
        CONSTRAINT stays_days_excl EXCLUDE USING gist (days WITH &&));
      CREATE UNIQUE INDEX stays_room_idx ON stays (lower(room));
      GRANT ALL ON stays TO ${api.config.database.app.user};`);
  });
  beforeEach(() => insert(`1, 'a', '${SECRET}', NULL, '[2026-01-01,2026-01-09)', 1, 1`));
  afterEach(async () => void (await api.database.query('TRUNCATE stays')));

  const run = async (text: string, constraints = rules) => {
    const statement = { name: 'spec', text, values: [], userId: 'user_1', constraints };
    const error = await api.app.nest
      .get(Database)
      .query(statement)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    return error === undefined ? undefined : translateError(error).describe();
  };
  const insert = (values: string, constraints?: Constraints) =>
    run(`INSERT INTO stays VALUES (${values})`, constraints);
  const at = (status: number, code: string, pointer: string, detail: string) => ({
    status,
    code,
    errors: [{ pointer, detail }],
  });

  it.each([
    ['unique', `2, 'a', 'x'`, at(409, 'conflict', '#/room', 'is taken by another stay')],
    ['unique, in an index', `2, 'A', 'x'`, at(409, 'conflict', '#/room', 'is taken by another stay')],
    ['primary key', `1, 'b', 'x'`, { status: 409, code: 'conflict', detail: 'A stay with this id exists already.' }],
    ['check', `2, 'b', repeat('x', 40)`, at(422, 'validation-failed', '#/name', 'has a length that is not allowed')],
    ['not null', `2, 'b', NULL`, at(422, 'validation-failed', '#/name', 'is required')],
    [
      'foreign key, at the end of the transaction',
      `2, 'b', 'x', 9`,
      at(422, 'validation-failed', '#/hostId', 'does not exist'),
    ],
    [
      'exclusion',
      `2, 'b', 'x', NULL, '[2026-01-08,2026-02-01)'`,
      at(422, 'validation-failed', '#/days', 'overlaps another stay'),
    ],
    ['domain', `2, 'b', 'x', NULL, NULL, 101`, at(422, 'validation-failed', '#/percent', 'is not from 0 to 100')],
  ])('(%s) is reported with its field, without the message of PostgreSQL', async (_, values, expected) => {
    const problem = await insert(values);
    expect(problem).toMatchObject(expected);
    for (const leak of [SECRET, 'stays', 'INSERT', 'Key (']) expect(JSON.stringify(problem)).not.toContain(leak);
  });

  it('is a conflict without a field if other rows prevent a deletion', async () => {
    await insert(`2, 'b', 'x', 1`);
    const inUse = { stays_host_fkey: { detail: 'Other stays refer to it.' } };
    expect(await run('DELETE FROM stays WHERE id = 1', inUse)).toMatchObject({
      status: 409,
      code: 'conflict',
      detail: 'Other stays refer to it.',
    });
  });

  it.each([
    ['an unlisted one', `2, 'b', 'x', NULL, NULL, 1, 0`],
    ['an unlisted name of every object', `2, 'b', 'x', NULL, NULL, 1, -1`],
  ])('is an internal error if it is %s', async (_, values) => {
    expect(await insert(values)).toEqual(expect.objectContaining({ status: 500, code: 'internal-error' }));
  });

  it('is reported in the same way by a transaction', async () => {
    const options = { constraints: rules };
    const insertTwice = api.app.nest
      .get(Database)
      .asUser('user_1', (tx) => tx.query(`INSERT INTO stays VALUES (5, 'a', '${SECRET}')`), options);
    const problem: unknown = await insertTwice.catch((error: unknown) => translateError(error).describe());
    expect(problem).toMatchObject(at(409, 'conflict', '#/room', 'is taken by another stay'));
    expect(JSON.stringify(problem)).not.toContain(SECRET);
  });

  it('leaves the session in order', async () => {
    await Promise.all(Array.from({ length: 30 }, () => insert(`1, 'a', 'x'`)));
    expect(await insert(`3, 'c', 'x'`)).toBeUndefined();
  });
});

describe('the rules of the API', () => {
  const api = useTestApi();

  it('name each constraint of a table that the application may change, and no others', async () => {
    const rows = await api.database.query<{ name: string }>(
      `SELECT c.conname::text AS name FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
        WHERE t.relnamespace = 'public'::regnamespace AND c.contype <> 'n' AND has_table_privilege($1, t.oid, 'INSERT, UPDATE')
       UNION SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique AND has_table_privilege($1, t.oid, 'INSERT, UPDATE')`,
      [api.config.database.app.user],
    );
    const named = Object.keys(mergeConstraints(apiDefinition.constraints)).filter(
      (name) => !name.endsWith('_not_null'),
    );
    const existing = rows.map(({ name }) => name);
    const isUnnamed = (name: string) => !named.includes(name);
    expect([
      ...existing
        .filter(isUnnamed)
        .map((name) => `${name}: add it to the constraints of its resource, perhaps as 'internal'`),
      ...named.filter((name) => !existing.includes(name)).map((name) => `${name}: is not a constraint of the database`),
    ]).toEqual([]);
  });

  it('are not two for one constraint', () => {
    const rule = { detail: 'is taken' };
    expect(() => mergeConstraints([{ a_key: rule }, { a_key: rule }])).toThrow(
      'a_key: two resources have a rule for it',
    );
  });
});

describe('a row of the sample that only the database can reject', () => {
  const api = useTestApi();
  const post = (name: string) => api.request({ as: 'user_1', method: 'POST', url: URL, payload: { name } });
  /** @param rule a check that new names must satisfy; existing rows are not checked */
  const limitNames = (rule: string) =>
    alter(`DROP CONSTRAINT entities_name_length, ADD CONSTRAINT entities_name_length CHECK (${rule}) NOT VALID`);
  const alter = async (sql: string) => void (await api.database.query(`ALTER TABLE entities ${sql}`));

  it('is reported by pointer over HTTP, as its document says', async () => {
    await limitNames('char_length(name) < 5');
    expect((await post('longer')).json()).toMatchObject({
      status: 422,
      code: 'validation-failed',
      errors: [{ pointer: '#/name', detail: expect.any(String) }],
    });
    const { id } = (await post('abc')).json<{ id: string }>();
    const change = {
      method: 'PATCH',
      url: `${URL}/${id}`,
      headers: { 'if-match': '*' },
      payload: { name: 'longer' },
    } as const;
    expect((await api.request({ as: 'user_1', ...change })).json()).toMatchObject({
      status: 422,
      errors: [{ pointer: '#/name' }],
    });
    await alter('DROP CONSTRAINT entities_name_length');
    await alter('ADD CONSTRAINT entities_name_length CHECK (char_length(name) BETWEEN 1 AND 200)');
  });

  it('is logged as an internal error, without values, if its constraint is not listed', async () => {
    await alter('ADD CONSTRAINT entities_name_unlisted UNIQUE (name)');
    await post(SECRET.slice(0, 4));
    const response = await post(SECRET.slice(0, 4));
    expect(response.json()).toMatchObject({ status: 500, code: 'internal-error' });
    const failed = api.lines.filter(({ event }) => event === 'request.failed');
    expect(JSON.stringify(failed)).toContain('entities_name_unlisted');
    expect(JSON.stringify(failed)).not.toContain('Key (');
    await alter('DROP CONSTRAINT entities_name_unlisted');
  });
});
