import { beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { useTestDatabase, withTestDatabase } from '../fixture/use-test-database.js';

const INSERT = `INSERT INTO parcels (owner_id, name) VALUES ('leak', 'made by a test')`;
const database = useTestDatabase();

beforeAll(() => database.query(`GRANT TEMPORARY ON DATABASE ${database.name} TO PUBLIC`));

/** The rows that row-level security shows to the code under test, outside of any transaction. */
async function countVisible(client: pg.PoolClient): Promise<unknown> {
  return (await client.query(`SELECT count(*)::int AS rows FROM parcels`)).rows[0];
}

describe('a transaction setting that changes without being named in a text', () => {
  it.each([
    ['a block', [`DO $$ BEGIN PERFORM set_config('app.user_id', 'leak', true); END $$`]],
    ['a block that says SET', [`DO $$ BEGIN SET LOCAL App.User_Id = 'leak'; END $$`]],
    ['an expression', [`DO $$ DECLARE x text := set_config('app.user_id', 'leak', true); BEGIN x := x; END $$`]],
    ['a field', [`DO $$ DECLARE e parcels; BEGIN e.name := set_config('app.user_id', 'leak', true); END $$`]],
    ['a prepared statement', [`PREPARE p AS SELECT set_config('app.user_id', 'leak', true)`, 'EXECUTE p']],
    [
      'a function',
      [
        `CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN set_config('app.user_id', 'leak', true); END $$`,
        'SELECT pg_temp.f()',
      ],
    ],
    [
      'a function in SQL',
      [`CREATE FUNCTION pg_temp.f() RETURNS text RETURN set_config('app.user_id', 'leak', true)`, 'SELECT pg_temp.f()'],
    ],
  ])('ends with the transaction: %s', async (_, texts) => {
    const client = database.lease();
    for (const before of texts.slice(0, -1)) await client.query(before);
    await client.query(`BEGIN; ${texts.at(-1)}; ${INSERT}; COMMIT`);
    expect(await countVisible(client)).toEqual({ rows: 0 });
    await client.query(texts.at(-1) ?? '');
    expect(await countVisible(client)).toEqual({ rows: 0 });
  });

  it('ends with the transaction if a function of the schema sets it', async () => {
    await withTestDatabase(async (other) => {
      await other.query(`CREATE FUNCTION become(who text) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN EXECUTE 'SELECT set_config(''app.user_id'', $1, true), set_config(''app.other'', $1, true)' USING who;
        PERFORM set_config('app.third', who, true); RETURN who; END $$`);
      await other.query('GRANT EXECUTE ON FUNCTION become TO PUBLIC');
      await other.startRollback();
      await other.beginTest();
      const client = other.lease();
      await client.query(`BEGIN; SELECT become('leak'); ${INSERT}; COMMIT`);
      expect(await countVisible(client)).toEqual({ rows: 0 });
      const { rows } = await client.query(`SELECT current_setting('app.third', true) AS third`);
      expect(rows).toEqual([{ third: '' }]);
      await other.rollbackTest();
    });
  });

  it.each([
    `DO $$ BEGIN EXECUTE format('SET LOCAL %I = 1', 'app.user_id'); END $$`,
    `DO $$ DECLARE n text := 'app.user_id'; BEGIN PERFORM set_config(n, 'leak', true); END $$`,
    'PREPARE p (text) AS SELECT set_config($1, $1, true)',
    `PREPARE p AS SELECT set_config('app.kept', 'yes', false)`,
    `CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT 1'; END $$`,
  ])('is refused if its name cannot be read: %s', async (text) => {
    await expect(database.lease().query(text)).rejects.toThrow(
      /may change settings unnoticed|that the text does not name/,
    );
  });

  it.each([
    `DO $$ BEGIN PERFORM count(*) FROM parcels; END $$`,
    `DO $$ DECLARE e parcels; n int; BEGIN SELECT * INTO e FROM parcels LIMIT 1; n := 1; END $$`,
    `DO $$ DECLARE n int[] := '{1}'; r record; BEGIN n[1] := 2; FOR r IN SELECT 1 AS x LOOP n[1] := r.x; END LOOP; END $$`,
    'PREPARE p (int) AS SELECT $1',
  ])('does not include a body that changes none: %s', async (text) => {
    await database.lease().query(text);
  });
});

describe('a setting of the session', () => {
  const read = async (client: pg.PoolClient) =>
    (await client.query(`SELECT current_setting('app.user_id', true) AS owner`)).rows[0] as unknown;

  it.each([
    [`SET app.user_id = 'kept'`],
    [`SELECT set_config('app.user_id', 'kept', false)`],
    [`BEGIN; SET LOCAL app.user_id = 'gone'; SET app.user_id = 'kept'; COMMIT`],
    [`BEGIN; SET app.user_id = 'kept'; COMMIT; BEGIN; SET LOCAL app.user_id = 'gone'; COMMIT`],
    [`DO $$ BEGIN PERFORM set_config('app.user_id', 'kept', false); END $$`],
  ])('stays after its transaction: %s', async (text) => {
    const client = database.lease();
    for (const part of text.startsWith('DO') ? [text] : text.split('; ')) await client.query(part);
    expect(await read(client)).toEqual({ owner: 'kept' });
    await client.query('RESET ALL');
    expect(await read(client)).toEqual({ owner: '' });
  });

  it('is reset for the next test', async () => {
    expect(await read(database.lease())).not.toEqual({ owner: 'kept' });
  });
});

describe('a statement that needs a transaction', () => {
  it.each([
    ['LOCK TABLE parcels IN ACCESS SHARE MODE', 'LOCK TABLE'],
    ['DECLARE c CURSOR FOR SELECT 1', 'DECLARE CURSOR'],
  ])('is an error outside of a transaction, as in PostgreSQL: %s', async (text, command) => {
    const client = database.lease();
    await expect(client.query(text)).rejects.toMatchObject({
      code: '25P01',
      message: `${command} can only be used in transaction blocks`,
    });
    if (command === 'LOCK TABLE') await client.query(`${text}; SELECT 1`);
    await client.query('BEGIN');
    await client.query(text);
    await client.query('COMMIT');
  });

  it('does not include a cursor that outlives its transaction', async () => {
    await database.lease().query('DECLARE c CURSOR WITH HOLD FOR SELECT 1');
  });
});
