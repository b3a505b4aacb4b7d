import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '@airlock/service';
import { TcpProxy } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const URL = '/api/v1/entities';
const UNAVAILABLE = { status: 503, code: 'dependency-unavailable' };

describe('a database that', () => {
  const api = useTestApi();
  const create = (name: string) => api.request({ as: 'user_1', method: 'POST', url: URL, payload: { name } });
  const asAdmin = async (sql: string) => (await api.database.admin()).query(sql);
  /** A session keeps the settings of its start until it ends. */
  const endSessions = async () => {
    await asAdmin(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE '%_app'`,
    );
    while (api.app.nest.get(Database).figures().total > 0) await sleep(10);
  };
  const change = async (setting: string) => {
    await asAdmin(`ALTER DATABASE ${api.database.name} ${setting}`);
    await endSessions();
  };

  describe('raises', () => {
    beforeAll(() =>
      asAdmin(`
        CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'could not extend file "base/16384/2619"' USING ERRCODE = NEW.name; END $$;
        CREATE TRIGGER raise BEFORE INSERT ON entities FOR EACH ROW EXECUTE FUNCTION raise()`),
    );
    afterAll(() => asAdmin('DROP FUNCTION raise CASCADE'));

    it.each([
      ['no space left', '53100', UNAVAILABLE],
      ['no memory left', '53200', UNAVAILABLE],
      ['a serialization failure', '40001', UNAVAILABLE],
      ['a deadlock', '40P01', UNAVAILABLE],
      ['a lock that was not available', '55P03', UNAVAILABLE],
      ['an error of its disk', '58030', UNAVAILABLE],
      ['a damaged page', 'XX001', UNAVAILABLE],
      ['a statement timeout', '57014', { status: 503, code: 'request-timeout' }],
      ['a value that no column can store', '22003', { status: 422, code: 'validation-failed' }],
      ['an unexpected error', 'XX000', { status: 500, code: 'internal-error' }],
    ])('%s causes a problem without further details', async (_, code, problem) => {
      const response = await create(code);
      expect(response.json()).toMatchObject(problem);
      expect(response.headers['retry-after']).toBe(problem === UNAVAILABLE ? '2' : undefined);
      expect(response.body).not.toContain('file');
    });
  });

  it('is read only, as after a failover, serves reads and rejects writes with a retry time', async () => {
    const { id } = (await create('Kettle')).json<{ id: string }>();
    await change('SET default_transaction_read_only = on');
    const refused = await create('Teapot');
    expect([refused.json(), refused.headers['retry-after']]).toEqual([expect.objectContaining(UNAVAILABLE), '2']);
    expect((await api.request({ as: 'user_1', url: `${URL}/${id}` })).statusCode).toBe(200);
    await change('RESET default_transaction_read_only');
    expect((await create('Teapot')).statusCode).toBe(201);
  });

  it('is out of connections causes a problem, and serves as soon as some are free', async () => {
    await change('CONNECTION LIMIT 0');
    expect((await create('Kettle')).json()).toMatchObject(UNAVAILABLE);
    await asAdmin(`ALTER DATABASE ${api.database.name} CONNECTION LIMIT -1`);
    expect((await create('Kettle')).statusCode).toBe(201);
  });

  it('has changed a column of prepared statements is asked again on other sessions', async () => {
    const { id } = (await create('Kettle')).json<{ id: string }>();
    const read = () => api.request({ as: 'user_1', url: `${URL}/${id}` });
    const readAll = async () =>
      (await Promise.all(Array.from({ length: 20 }, read))).map(({ statusCode }) => statusCode);
    expect(new Set(await readAll())).toEqual(new Set([200]));
    await asAdmin('ALTER TABLE entities ALTER COLUMN name TYPE varchar(200)');
    expect(new Set(await readAll())).toEqual(new Set([200]));
    await asAdmin('ALTER TABLE entities ALTER COLUMN name TYPE text');
    expect(new Set(await readAll())).toEqual(new Set([200]));
  });
});

describe('a database that no longer responds', () => {
  const proxies: TcpProxy[] = [];
  const api = useTestApi({
    configure: async ({ database, ...config }) => {
      const proxy = await TcpProxy.start(database.app);
      proxies.push(proxy);
      const app = { ...database.app, host: '127.0.0.1', port: proxy.port };
      return { ...config, database: { ...database, app, poolSize: 2, statementTimeoutMs: 200 } };
    },
  });
  afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())));

  it('makes waiting requests fail in time, and its sessions are replaced by new ones', async () => {
    const list = () => api.request({ as: 'user_1', url: URL });
    const all = () => Promise.all(Array.from({ length: 4 }, list));
    await all();
    expect(api.app.nest.get(Database).figures()).toMatchObject({ total: 2, idle: 2 });
    proxies[0]?.silence();
    const statuses = (await all()).map((response) => [response.statusCode, response.json<{ code?: string }>().code]);
    expect(statuses.sort()).toEqual([
      [200, undefined],
      [200, undefined],
      [503, 'request-timeout'],
      [503, 'request-timeout'],
    ]);
    expect((await list()).statusCode).toBe(200);
  });
});
