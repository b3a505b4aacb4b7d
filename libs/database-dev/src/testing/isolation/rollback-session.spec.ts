import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { readRows, writeRows } from './rows.js';
import { useTestDatabase, withTestDatabase } from '../fixture/use-test-database.js';

const INSERT = `INSERT INTO parcels (owner_id, name) VALUES ('leak', 'made by a test')`;
const SET_OWNER = `SELECT set_config('app.user_id', 'leak', true)`;

const database = useTestDatabase();

/** Rows on the server, as another session sees them: rows of a test must never appear there. */
async function countCommitted(): Promise<unknown> {
  const [row] = await database.query(`SELECT count(*)::int AS rows FROM parcels WHERE owner_id = 'leak'`);
  return row;
}

/** Rows that the code under test sees, as in its next transaction. */
async function countVisible(): Promise<unknown> {
  const client = database.lease();
  await client.query('BEGIN');
  await client.query(SET_OWNER);
  const { rows } = await client.query('SELECT count(*)::int AS rows FROM parcels');
  await client.query('ROLLBACK');
  return rows[0];
}

describe('a text that ends a transaction', () => {
  it.each([
    ['COMMIT'],
    ['/* x */ COMMIT'],
    ['-- x\nCOMMIT'],
    ['/* a /* nested */ comment */\n\tcommit /* y */ ;'],
    ['COMMIT WORK;;'],
    ['END TRANSACTION'],
    [';COMMIT'],
    ['\u000cCOMMIT'],
    ['SELECT 1; COMMIT'],
    [`SELECT ';'; COMMIT; SELECT $$ BEGIN $$`],
    ['ROLLBACK; COMMIT', 0],
    ['ABORT', 0],
    ['/* x */ ROLLBACK WORK', 0],
    ['COMMIT; BEGIN; SELECT 1; ROLLBACK'],
    ['RELEASE SAVEPOINT mine; COMMIT'],
    ['ROLLBACK TO mine; COMMIT', 0],
  ])('stays within the test: %j', async (text, rows = 1) => {
    const client = database.lease();
    await client.query('BEGIN');
    await client.query(SET_OWNER);
    await client.query('SAVEPOINT mine');
    await client.query(INSERT);
    await client.query(text);
    expect(await countCommitted()).toEqual({ rows: 0 });
    expect(await countVisible()).toEqual({ rows });
  });

  it.each([
    ['one text', `BEGIN; ${SET_OWNER}; ${INSERT}; COMMIT`],
    ['its own implicit transaction', `${SET_OWNER}; ${INSERT}`],
    ['two transactions', `BEGIN; ${SET_OWNER}; ${INSERT}; COMMIT; BEGIN; ${SET_OWNER}; ${INSERT}; ROLLBACK`],
  ])('runs several statements in order: %s', async (_, text) => {
    await database.lease().query(text);
    expect(await countCommitted()).toEqual({ rows: 0 });
    expect(await countVisible()).toEqual({ rows: 1 });
  });

  it('gives one result for each statement, as pg does', async () => {
    const results = await database.lease().query('BEGIN; SELECT 1 AS one; SELECT 2 AS two; COMMIT');
    expect((results as unknown as pg.QueryResult[]).map(({ command, rows }) => [command, rows])).toEqual([
      ['BEGIN', []],
      ['SELECT', [{ one: 1 }]],
      ['SELECT', [{ two: 2 }]],
      ['COMMIT', []],
    ]);
  });

  it('rolls back the whole implicit transaction when one of its statements fails', async () => {
    await expect(database.lease().query(`${SET_OWNER}; ${INSERT}; SELECT nothing`)).rejects.toThrow('nothing');
    expect(await countVisible()).toEqual({ rows: 0 });
  });
});

describe('a text that one session cannot emulate', () => {
  it.each([
    ['BEGIN ISOLATION LEVEL SERIALIZABLE', 'needs a separate transaction'],
    ['/* x */ START TRANSACTION READ ONLY', 'needs a separate transaction'],
    ['BEGIN DEFERRABLE', 'needs a separate transaction'],
    ['COMMIT AND CHAIN', 'begins a transaction as it ends one'],
    ['ROLLBACK AND CHAIN', 'begins a transaction as it ends one'],
    [`PREPARE TRANSACTION 'x'`, 'leaves a transaction that outlives its session'],
    [`SELECT 1; COMMIT PREPARED 'x'`, 'leaves a transaction that outlives its session'],
    [`${INSERT}; BEGIN`, 'takes statements before it into its transaction'],
    [`SELECT set_config(lower('X'), 'y', true)`, 'changes a setting that the text does not name'],
    [`SELECT set_config('a.b', 'y', 1 = 1)`, 'changes a setting that the text does not name'],
  ])('is refused: %s', async (text, reason) => {
    await expect(database.lease().query(text)).rejects.toThrow(
      new RegExp(`test database: ".*" ${reason}; expected isolation: 'delete' or 'clone'`),
    );
    expect(await countCommitted()).toEqual({ rows: 0 });
  });

  it.each(['BEGIN ISOLATION LEVEL READ COMMITTED', 'START TRANSACTION READ WRITE, NOT DEFERRABLE'])(
    'does not include one that states the default: %s',
    async (text) => {
      const client = database.lease();
      expect((await client.query(text)).command).toBe('BEGIN');
      await client.query('ROLLBACK');
    },
  );

  it('is an error of the server if it is not SQL, and ends nothing', async () => {
    for (const text of ['COMMIT TRANSACTION now', 'SELEC 1; COMMIT', 'COMMIT\0', "SELECT 'open; COMMIT"]) {
      await expect(database.lease().query(text)).rejects.toThrow();
    }
    expect((await database.lease().query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('is an error of the server if it needs a transaction and there is none', async () => {
    await expect(database.lease().query('SAVEPOINT x')).rejects.toMatchObject({ code: '25P01' });
  });

  it.each(['VACUUM parcels', `DO $$ BEGIN COMMIT; END $$`])(
    'is an error of the server if it may not run in a transaction: %s',
    async (text) => {
      await expect(database.lease().query(text)).rejects.toThrow();
      expect((await database.lease().query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    },
  );
});

describe('a setting of a transaction', () => {
  const read = async (name: string) =>
    ((await database.lease().query(`SELECT current_setting($1, true) AS value`, [name])).rows[0] as { value: string })
      .value;

  it.each([
    ['app.user_id', `SET LOCAL app.user_id = 'someone'`],
    ['app.tenant', `SELECT set_config('app.tenant', 'other', true)`],
    ['statement_timeout', `SET LOCAL statement_timeout = 1`],
    ['search_path', `SET LOCAL search_path = ops`],
    ['role', 'SET LOCAL ROLE NONE'],
    ['timezone', `SET LOCAL TIME ZONE 'Europe/Paris'`],
    ['work_mem', `WITH x AS (SELECT pg_catalog.set_config('work_mem', '64kB', true)) SELECT * FROM x`],
  ])('ends with the transaction: %s', async (name, text) => {
    const before = (await read(name)) ?? '';
    for (const end of ['COMMIT', 'ROLLBACK']) {
      const client = database.lease();
      await client.query('BEGIN');
      await client.query(text);
      await client.query(end);
      expect((await read(name)) ?? '').toBe(before);
    }
    await database.lease().query(text);
    expect((await read(name)) ?? '').toBe(before);
  });

  it('ends with the transaction if values name the setting', async () => {
    await database.lease().query('SELECT set_config($1, $2, $3)', ['app.tenant', 'other', true]);
    expect((await read('app.tenant')) ?? '').toBe('');
  });

  it('stays for the session if the text says so, and ends with the test', async () => {
    await database.lease().query(`SELECT set_config('app.kept', 'yes', false)`);
    expect(await read('app.kept')).toBe('yes');
  });
});

describe('state outside of transactions', () => {
  it.each(['first', 'second'])('ends with the test: settings, locks, prepared statements (%s)', async () => {
    const client = database.lease();
    expect((await client.query(`SELECT current_setting('app.kept', true) AS kept`)).rows).not.toEqual([
      { kept: 'yes' },
    ]);
    await client.query(`SET app.kept = 'yes'`);
    await client.query('PREPARE mine AS SELECT 1');
    await client.query('SELECT pg_advisory_lock(4711)');
    await client.query({ name: 'named', text: 'SELECT $1::int AS value', values: [1] });
    const held = await database.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
    expect(held).toHaveLength(1);
    // Taken once in each test: a lock that remained would be counted twice, and released once.
    expect((await client.query('SELECT pg_advisory_unlock(4711) AS one')).rows).toEqual([{ one: true }]);
    await client.query('SELECT pg_advisory_lock(4711)');
  });
});

describe('a transaction that outlives its test', () => {
  it.each(['rolled back', 'shown'])('is refused later statements, when the test was %s', async (end) => {
    await withTestDatabase(async (other) => {
      await other.startRollback();
      await other.beginTest();
      const client = other.lease();
      await client.query('BEGIN');
      await client.query(SET_OWNER);
      await client.query(INSERT);
      const shown = end === 'shown' ? await other.showRows() : undefined;
      await other.rollbackTest();
      await other.beginTest();
      for (const text of [INSERT, 'COMMIT']) {
        await expect(client.query(text)).rejects.toThrow('a transaction continued after its test had ended');
      }
      await other.rollbackTest();
      expect(await other.query(`SELECT FROM parcels WHERE owner_id = 'leak'`)).toEqual([]);
      if (shown) expect(JSON.stringify(shown.tables)).toContain('made by a test');
    });
  });
});

describe('rows that the hooks of a file commit before its first test', () => {
  it('are visible in every test, and are not rolled back with one', async () => {
    await withTestDatabase(async (other) => {
      await other.startRollback();
      const client = other.lease();
      await client.query(`BEGIN; ${SET_OWNER}; ${INSERT}; COMMIT`);
      await client.query(`BEGIN; ${SET_OWNER}; ${INSERT}; ROLLBACK`);
      await expect(client.query('SELECT nothing')).rejects.toThrow('nothing');
      for (const visible of [2, 2]) {
        await other.beginTest();
        await client.query(`BEGIN; ${SET_OWNER}; ${INSERT}`);
        expect((await client.query('SELECT count(*)::int AS rows FROM parcels')).rows).toEqual([{ rows: visible }]);
        await client.query('COMMIT');
        await other.rollbackTest();
      }
      expect(await other.query(`SELECT FROM parcels WHERE owner_id = 'leak'`)).toHaveLength(1);
    });
  });
});

describe('rows', () => {
  it('are written where tables and columns exist, when their schema was changed', async () => {
    await withTestDatabase(async (changed) => {
      await changed.query(`CREATE TABLE spec_more (id int); INSERT INTO spec_more VALUES (1); CREATE SEQUENCE spec_more_seq;
        CREATE TABLE spec_empty (); ALTER TABLE parcels ADD COLUMN spec_extra int; ${INSERT}`);
      const rows = await readRows(await changed.admin());
      await withTestDatabase(async (other) => {
        await writeRows(await other.admin(), rows);
        expect(await other.query(`SELECT name FROM parcels WHERE owner_id = 'leak'`)).toEqual([
          { name: 'made by a test' },
        ]);
      });
    });
  });
});

describe('a sequence', () => {
  it('continues with its value from before the test, and a kept copy with the value after the test', async () => {
    await withTestDatabase(async (other) => {
      await other.query(`CREATE SEQUENCE spec_numbers START 5; GRANT USAGE ON spec_numbers TO PUBLIC`);
      await other.startRollback();
      for (const end of ['rolled back', 'shown', 'rolled back']) {
        await other.beginTest();
        const { rows } = await other.lease().query(`SELECT nextval('spec_numbers')::int AS next`);
        expect(rows).toEqual([{ next: 5 }]);
        if (end === 'shown') {
          const { sequences } = await other.showRows();
          const ours = sequences.filter(({ name }) => name === 'public.spec_numbers');
          expect(ours).toMatchObject([{ last_value: '5', is_called: true }]);
        }
        await other.rollbackTest();
      }
    });
  });
});

describe('a sequence that a hook has created', () => {
  const other = useTestDatabase();
  beforeAll(() => other.query(`CREATE SEQUENCE spec_hook; GRANT USAGE ON spec_hook TO PUBLIC`));

  it.each(['first', 'second'])('continues with its value from before the test (%s)', async () => {
    expect((await other.lease().query(`SELECT nextval('spec_hook')::int AS next`)).rows).toEqual([{ next: 1 }]);
  });
});

describe('a query object', () => {
  let client: pg.PoolClient;
  beforeEach(() => {
    client = database.lease();
  });

  const run = (query: pg.Query) =>
    new Promise<pg.QueryResult>((resolve, reject) => {
      const callback = (error: Error | null, result: pg.QueryResult) => (error ? reject(error) : resolve(result));
      client.query(Object.assign(query, { callback }) as unknown as pg.Submittable);
    });

  it('is followed if it states its SQL', async () => {
    const { rows } = await run(new pg.Query('SELECT 1 AS one'));
    expect(rows).toEqual([{ one: 1 }]);
    await run(new pg.Query(`${SET_OWNER}; ${INSERT}`));
    expect(await countCommitted()).toEqual({ rows: 0 });
    expect(await countVisible()).toEqual({ rows: 1 });
  });

  it('fails without affecting others, with the error of the server', async () => {
    await expect(run(new pg.Query('SELECT nothing'))).rejects.toThrow('column "nothing" does not exist');
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it.each(['COMMIT', 'SELECT 1; /* x */ COMMIT'])('is refused if it ends transactions: %s', async (text) => {
    await expect(run(new pg.Query(text))).rejects.toThrow('is a query object that ends transactions');
  });

  it('is refused if it does not state its SQL', async () => {
    const silent = { submit: () => null, handleError: () => {}, handleReadyForQuery: () => {} };
    const refused = new Promise((resolve) => Object.assign(silent, { handleError: resolve }));
    client.query(silent as unknown as pg.Submittable);
    await expect(refused).resolves.toMatchObject({
      message: expect.stringContaining('does not have its SQL in `text`'),
    });
  });
});
