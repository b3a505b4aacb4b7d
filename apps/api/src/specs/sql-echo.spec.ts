import { Database } from '@airlock/service';
import { describe, expect, it } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const URL = '/api/v1/entities';
const SECRET = 'value-that-stays-inside';

describe.each([true, false])('DB_ECHO=%s', (echo) => {
  const api = useTestApi({ configure: (config) => ({ ...config, database: { ...config.database, echo } }) });
  const printed = () => api.lines.filter(({ event }) => event === 'sql').map(({ sql }) => String(sql));

  it(`logs ${echo ? 'each statement of a request' : 'no statement'}, with its ids and without values`, async () => {
    const created = await api.request({ as: 'user_1', method: 'POST', url: URL, payload: { name: SECRET } });
    const { id } = created.json<{ id: string }>();
    await api.request({ as: 'user_1', url: `${URL}/${id}` });
    await api.request({ as: 'user_1', url: `${URL}?name=${SECRET}` });
    for (const start of ['INSERT INTO entities', 'SELECT entities.id'])
      expect(printed().some((sql) => sql.startsWith(start) && sql.includes('[redacted]'))).toBe(echo);
    expect(JSON.stringify(api.lines)).not.toContain(SECRET);
    const [line] = api.lines.filter(({ event }) => event === 'sql');
    expect(line?.['request_id']).toEqual(echo ? expect.any(String) : undefined);
  });

  it(`logs ${echo ? 'those of a transaction, and that one failed' : 'neither those of a transaction nor that one failed'}`, async () => {
    const database = api.app.nest.get(Database);
    await database.asUser('user_1', (tx) => tx.query(`SELECT '${SECRET}'`));
    const broken = { name: 'broken', text: `SELECT '${SECRET}', 1 / $1::int`, values: [0], userId: 'user_1' };
    await expect(database.query(broken)).rejects.toThrow('division by zero');
    const shown = printed().filter((sql) => !sql.includes('ops.'));
    expect(shown).toEqual(
      echo
        ? [
            'START TRANSACTION',
            `SELECT '[redacted]'`,
            'COMMIT',
            `SELECT '[redacted]', 1 / $1::int -- 1 parameter [redacted]`,
            `failed: SELECT '[redacted]', 1 / $1::int -- 1 parameter [redacted]`,
          ]
        : [],
    );
  });
});
