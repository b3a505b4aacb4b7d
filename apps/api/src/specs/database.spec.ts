import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '@airlock/service';
import { TcpProxy } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const URL = '/api/v1/entities';
const AWAY = { status: 503, code: 'dependency-unavailable' };

describe('a database that', () => {
  const api = useTestApi();
  const create = (name: string) => api.request({ as: 'user_1', method: 'POST', url: URL, payload: { name } });
  const asAdmin = async (sql: string) => (await api.database.admin()).query(sql);
  /** What a session was told at its start holds for its life. */
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
      ['no space left', '53100', AWAY],
      ['no memory left', '53200', AWAY],
      ['a serialization failure', '40001', AWAY],
      ['a deadlock', '40P01', AWAY],
      ['a lock that was not to be had', '55P03', AWAY],
      ['an error of its disk', '58030', AWAY],
      ['a damaged page', 'XX001', AWAY],
      ['a statement that took too long', '57014', { status: 503, code: 'request-timeout' }],
      ['a value that no column holds', '22003', { status: 422, code: 'validation-failed' }],
      ['what nobody foresaw', 'XX000', { status: 500, code: 'internal-error' }],
    ])('%s is answered with a problem, and nothing else of it', async (_, code, problem) => {
      const response = await create(code);
      expect(response.json()).toMatchObject(problem);
      expect(response.headers['retry-after']).toBe(problem === AWAY ? '2' : undefined);
      expect(response.body).not.toContain('file');
    });
  });

  it('only lets itself be read, as after a failover, refuses writes with a time and serves reads', async () => {
    const { id } = (await create('Kettle')).json<{ id: string }>();
    await change('SET default_transaction_read_only = on');
    const refused = await create('Teapot');
    expect([refused.json(), refused.headers['retry-after']]).toEqual([expect.objectContaining(AWAY), '2']);
    expect((await api.request({ as: 'user_1', url: `${URL}/${id}` })).statusCode).toBe(200);
    await change('RESET default_transaction_read_only');
    expect((await create('Teapot')).statusCode).toBe(201);
  });

  it('is out of connections says so as a problem, and serves once there are some', async () => {
    await change('CONNECTION LIMIT 0');
    expect((await create('Kettle')).json()).toMatchObject(AWAY);
    await asAdmin(`ALTER DATABASE ${api.database.name} CONNECTION LIMIT -1`);
    expect((await create('Kettle')).statusCode).toBe(201);
  });

  it('has changed a column under prepared statements is asked anew on other sessions', async () => {
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

describe('a database that is not heard of any more', () => {
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

  it('costs the requests that wait for it an answer in time, and its sessions make room for new ones', async () => {
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
