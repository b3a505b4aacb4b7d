import { readFileSync } from 'node:fs';
import { withClient } from '@airlock/database';
import { model } from '@airlock/model';
import { Database } from '@airlock/service';
import { RequestContext, runInContext } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const COUNT = { name: 'spec:count', text: 'SELECT count(*)::int AS count FROM entities', values: [] };
const WHO = {
  name: 'spec:who',
  text: `SELECT pg_backend_pid() AS pid, current_setting('app.user_id', true) AS "user", current_setting('application_name') AS name`,
  values: [],
};

describe('row-level security', () => {
  // With one connection, the next request would see any state that a request leaves on it.
  const api = useTestApi({ configure: (config) => ({ ...config, database: { ...config.database, poolSize: 1 } }) });
  const database = () => api.app.nest.get(Database);
  const create = (as: string) => api.request({ as, method: 'POST', url: '/api/v1/entities', payload: { name: as } });
  type Query = (sql: string) => Promise<{ rows: unknown[]; rowCount: number | null }>;
  const asApplication = (use: (query: Query) => Promise<void>) =>
    withClient(api.config.database.app, { config: api.config, purpose: 'spec' }, (client) =>
      use((sql) => client.query(sql)),
    );

  it('shows no row to raw SQL of the application without a user', async () => {
    await create('user_1');
    await asApplication(async (query) => {
      expect((await query('SELECT count(*)::int AS count FROM entities')).rows).toEqual([{ count: 0 }]);
      expect((await query(`UPDATE entities SET name = 'x'`)).rowCount).toBe(0);
      expect((await query('DELETE FROM entities')).rowCount).toBe(0);
      await expect(query(`INSERT INTO entities (owner_id, name) VALUES ('user_1', 'x')`)).rejects.toThrow(
        'row-level security',
      );
    });
  });

  it('is enabled for every table that the application may read', async () => {
    const open = await api.database.query(
      `SELECT relname FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
          AND has_table_privilege($1, oid, 'SELECT, INSERT, UPDATE, DELETE') AND NOT (relrowsecurity AND relforcerowsecurity)
        ORDER BY relname COLLATE "C"`,
      [api.config.database.app.user],
    );
    // Tables of an adopted database that are still to be protected: docs/adoption.md.
    const listed = JSON.parse(readFileSync(new URL('records/unprotected.json', model.folder), 'utf8')) as string[];
    expect(open).toEqual(listed.map((relname) => ({ relname })));
  });

  it('cannot be switched off by the application', async () => {
    await create('user_1');
    await asApplication(async (query) => {
      await expect(query('ALTER TABLE entities DISABLE ROW LEVEL SECURITY')).rejects.toThrow();
      await query('SET row_security = off');
      await expect(query('SELECT FROM entities')).rejects.toThrow('row-level security');
    });
  });

  it('shows each user their own rows', async () => {
    await create('user_1');
    await create('user_2');
    const [seen] = await database().query<{ count: number }>({ ...COUNT, userId: 'user_2' });
    expect(seen?.count).toBe(1);
  });

  it('rejects writes of rows of other users', async () => {
    const text = `INSERT INTO entities (owner_id, name) VALUES ('user_2', 'planted')`;
    await expect(database().query({ name: 'spec:plant', text, values: [], userId: 'user_1' })).rejects.toThrow(
      'row-level security',
    );
  });

  it('leaves no user on a pooled connection, after success and after failure', async () => {
    const [during] = await database().query<{ pid: number; user: string }>({ ...WHO, userId: 'user_1' });
    const broken = { name: 'spec:broken', text: 'SELECT 1 / $1::int', values: [0], userId: 'user_1' };
    await expect(database().query(broken)).rejects.toThrow('division by zero');
    const [between] = await database().query<{ pid: number; user: string }>({ ...WHO, userId: '' });
    expect(during?.user).toBe('user_1');
    expect(between).toMatchObject({ pid: during?.pid, user: '' });
  });

  it('shows the request of a session while it runs, and not after it', async () => {
    const context = new RequestContext({ 'x-request-id': 'request-0123456789' });
    const ask = () => database().query<{ pid: number; name: string }>({ ...WHO, userId: 'user_1' });
    const [during] = await new Promise<{ pid: number; name: string }[]>((resolve, reject) =>
      runInContext(context, () => void ask().then(resolve, reject)),
    );
    expect(during?.name).toBe('request-0123456789');
    const after = await api.database.query(`SELECT application_name AS name FROM pg_stat_activity WHERE pid = $1`, [
      during?.pid,
    ]);
    expect(after).toEqual([{ name: expect.stringMatching(/^airlock-api\/testing\/api@/) }]);
  });

  it('isolates users with many concurrent requests over few connections', async () => {
    const users = Array.from({ length: 200 }, (_, index) => `user_${index}`);
    const seen = await Promise.all(users.map((userId) => database().query<{ user: string }>({ ...WHO, userId })));
    expect(seen.map(([row]) => row?.user)).toEqual(users);
  });

  it('prepares a statement once, even when its first run fails', async () => {
    const statement = { name: 'spec:once', text: 'SELECT 10 / $1::int AS result', userId: 'user_1' };
    await expect(database().query({ ...statement, values: [0] })).rejects.toThrow('division by zero');
    expect(await database().query({ ...statement, values: [5] })).toEqual([{ result: 2 }]);
  });

  it('prepares a statement again after a syntax error', async () => {
    const statement = { name: 'spec:typo', values: [], userId: 'user_1' };
    await expect(database().query({ ...statement, text: 'SELEKT 1' })).rejects.toThrow('syntax error');
    expect(await database().query({ ...statement, text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
  });

  it('survives a value that cannot be encoded', async () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const statement = { name: 'spec:value', text: 'SELECT $1::jsonb AS value', userId: 'user_1' };
    await expect(database().query({ ...statement, values: [circular] })).rejects.toThrow('circular');
    expect(await database().query({ ...statement, values: [{ a: 1 }] })).toEqual([{ value: { a: 1 } }]);
  });
});
