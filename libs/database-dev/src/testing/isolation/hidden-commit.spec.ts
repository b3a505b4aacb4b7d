import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { TestDatabase } from '../fixture/test-database.js';
import { useTestDatabase, withTestDatabase } from '../fixture/use-test-database.js';

const INSERT = `INSERT INTO parcels (owner_id, name) VALUES ('leak', 'made by a test')`;
const BEGIN = `BEGIN; SELECT set_config('app.user_id', 'leak', true); ${INSERT}`;
/** With standard_conforming_strings = off the server reads it as one string; the parser reads three statements. */
const HIDDEN = `SELECT 'a\\', '; COMMIT; BEGIN; --'`;

const database = useTestDatabase();

const countCommitted = (of: TestDatabase = database) => of.query(`SELECT FROM parcels WHERE owner_id = 'leak'`);

describe('a setting that changes how the server parses a text', () => {
  it.each([
    ['SET standard_conforming_strings = off'],
    [`/* x */ set Standard_Conforming_Strings TO 'off'`],
    ['SET LOCAL standard_conforming_strings = 0'],
    ['SET SESSION standard_conforming_strings = false'],
    [`SELECT set_config('standard_conforming_strings', 'off', false)`],
    [`SELECT pg_catalog.set_config('STANDARD_CONFORMING_STRINGS', $1, true)`, ['off']],
    [`SELECT set_config($1, 'off', true)`, ['standard_conforming_strings']],
    ['SELECT set_config($1, $2, $3)', ['client_encoding', 'SJIS', false]],
    [`SET client_encoding = 'SJIS'`],
    [`SET NAMES 'GBK'`],
    ['SET backslash_quote = on'],
  ])('is refused: %s', async (text, values: unknown[] = []) => {
    const client = database.lease();
    await client.query(BEGIN);
    await expect(client.query(text, values)).rejects.toThrow('changes how the server parses a text');
    await client.query(HIDDEN).catch(() => undefined);
    await client.query('ROLLBACK');
    expect(await countCommitted()).toEqual([]);
  });

  it.each([
    `DO $$ BEGIN EXECUTE 'SET standard_' || 'conforming_strings = off'; END $$`,
    `UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'`,
    `UPDATE pg_settings SET setting = 'SJIS' WHERE name = 'client_encoding'`,
  ])('is refused if only the server sees it: %s', async (text) => {
    const client = database.lease();
    await expect(client.query(text)).rejects.toThrow(/parses a text differently|may change settings/);
    await client.query(BEGIN);
    await client.query(text).catch(() => undefined);
    await client.query(HIDDEN).catch(() => undefined);
    await client.query('ROLLBACK');
    expect(await countCommitted()).toEqual([]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('is refused if the session starts with it', async () => {
    await withTestDatabase(async (other) => {
      await other.query(`ALTER DATABASE ${other.name} SET standard_conforming_strings = off`);
      await expect(other.startRollback()).rejects.toThrow('the session has standard_conforming_strings = off');
    });
  });

  it.each([`SET client_encoding = 'UTF8'; SET standard_conforming_strings = on`, 'RESET client_encoding; RESET ALL'])(
    'is accepted if it does not change the current value: %s',
    async (text) => {
      await database.lease().query(text);
      expect((await database.lease().query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    },
  );
});

describe('a query config', () => {
  it.each([
    ['values outside of it win', [{ text: 'COMMIT; BEGIN', values: [1] }, []]],
    ['no values', [{ text: 'COMMIT; BEGIN', values: undefined }]],
    ['null for values', [{ text: 'COMMIT; BEGIN', values: null }, null]],
    ['a text that answers otherwise the second time', [createFickle('SELECT 1', 'COMMIT; BEGIN')]],
    ['an inherited text', [Object.create({ text: 'COMMIT; BEGIN' })]],
  ])('is read like pg reads it, and its COMMIT stays within the test: %s', async (_, args: unknown[]) => {
    const client = database.lease();
    await client.query(BEGIN);
    await (client.query as (...args: unknown[]) => Promise<unknown>)(...args).catch(() => undefined);
    expect(await countCommitted()).toEqual([]);
  });

  it.each([
    [[{ text: 'SELECT 1 AS one', values: undefined }]],
    [[{ text: 'SELECT 1 AS one', values: null }]],
    [[{ text: 'SELECT 1 AS one' }, undefined]],
    [[{ text: 'SELECT 1 AS one', values: [] }, null]],
    [[{ text: 'SELECT $1::int AS one', values: [2] }, [1]]],
    [[{ text: 'SELECT $1::int AS one', values: [1] }, undefined]],
    [['SELECT $1::int AS one', [1]]],
    [[{ name: 'one', text: 'SELECT 1 AS one' }]],
    [[{ queryMode: 'extended', text: 'SELECT 1 AS one' }]],
  ])('returns the same result as pg: %j', async (args: unknown[]) => {
    const client = database.lease();
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<pg.QueryResult>;
    expect((await query(...args)).rows).toEqual([{ one: 1 }]);
    const rows = new Promise((resolve, reject) => {
      const callback = (error: Error | null, result: pg.QueryResult) => (error ? reject(error) : resolve(result.rows));
      void query(...args, callback);
    });
    expect(await rows).toEqual([{ one: 1 }]);
  });

  it('may hold the callback', async () => {
    const rows = new Promise((resolve) => {
      const callback = (_: unknown, result: pg.QueryResult) => resolve(result.rows);
      (database.lease().query as (config: object) => void)({ text: 'SELECT 1 AS one', callback });
    });
    expect(await rows).toEqual([{ one: 1 }]);
  });

  it('is one statement if it is prepared, and the server refuses several', async () => {
    for (const config of [{ queryMode: 'extended' }, { name: 'several' }, { values: [1] }]) {
      const query = database.lease().query({ text: 'SELECT 1; COMMIT', ...config } as pg.QueryConfig);
      await expect(query).rejects.toThrow('cannot insert multiple commands');
    }
  });

  it('may name a prepared statement, whose text is then checked', async () => {
    const client = database.lease();
    await client.query({ name: 'owner', text: `SELECT set_config('app.user_id', $1, true)`, values: ['leak'] });
    await client.query({ name: 'owner', values: ['leak'] } as unknown as pg.QueryConfig);
    expect((await client.query(`SELECT current_setting('app.user_id') AS owner`)).rows).toEqual([{ owner: '' }]);
  });
});

describe('a transaction that ended unseen', () => {
  it.each([
    ['one text', ['COMMIT; BEGIN']],
    ['the extended protocol', [prepared('COMMIT'), prepared('BEGIN')]],
    ['a chain', ['COMMIT AND CHAIN']],
    ['the same savepoint', ['COMMIT; BEGIN; SAVEPOINT airlock_test']],
    ['a failed one', ['COMMIT; BEGIN', 'SELECT nothing']],
    ['a block that commits', ['COMMIT', 'DO $$ BEGIN COMMIT; END $$', 'BEGIN']],
    ['no later statement', ['COMMIT']],
  ])('fails the test, and every later one of its database: %s', async (_, queries: (string | pg.QueryConfig)[]) => {
    await withTestDatabase(async (other) => {
      await other.startRollback();
      await other.beginTest();
      const client = other.lease();
      await client.query(`${BEGIN}; COMMIT`);
      for (const query of queries) await bypass(client)(query).catch(() => undefined);
      await expect(other.rollbackTest()).rejects.toThrow('something ended the transaction of the test');
      for (let later = 0; later < 2; later += 1) {
        await expect(other.beginTest()).rejects.toThrow('an earlier test of this file ended the transaction');
      }
    });
  });

  it('is reported in addition to the failure of the test', async () => {
    await withTestDatabase(async (other) => {
      await other.startRollback();
      await other.beginTest();
      const client = other.lease();
      await client.query(`${BEGIN}; COMMIT`);
      await bypass(client)('COMMIT; BEGIN');
      await expect(other.showRows()).rejects.toThrow('something ended the transaction of the test');
      await expect(other.beginTest()).rejects.toThrow('an earlier test of this file ended the transaction');
    });
  });

  it.each(['SELECT 1', 'SELECT nothing', `${BEGIN}; SELECT nothing`, 'BEGIN; RESET ALL', 'DISCARD PLANS'])(
    'does not include one that is open, failed or changed: %s',
    async (text) => {
      await withTestDatabase(async (other) => {
        await other.startRollback();
        for (const end of ['rolled back', 'shown']) {
          await other.beginTest();
          await other.lease().query(text).catch(String);
          if (end === 'shown') await other.showRows();
          await other.rollbackTest();
        }
        expect(await countCommitted(other)).toEqual([]);
      });
    },
  );
});

function prepared(text: string): pg.QueryConfig {
  return { text, queryMode: 'extended' } as pg.QueryConfig;
}

function createFickle(...texts: string[]): object {
  return {
    get text() {
      return texts.length > 1 ? texts.shift() : texts[0];
    },
  };
}

type Query = (query: string | pg.QueryConfig) => Promise<unknown>;

/** Sends a text without any check, as if the parser had misread it. */
function bypass(client: pg.PoolClient): Query {
  return (query) => (pg.Client.prototype.query as (query: unknown) => Promise<unknown>).call(client, query);
}
