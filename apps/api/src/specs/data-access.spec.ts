import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { EntityRecord } from '@airlock/model/orm';
import { Database } from '@airlock/service';
import { describe, expect, it } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const page = readFileSync(new URL('../../../../docs/data-access.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

describe.each(['delete', 'rollback'] as const)('docs/data-access.md, on a database isolated by %s', (isolation) => {
  const api = useTestApi({ isolation });
  // The code of a page is not a module, so it is compiled here.
  const run = (code: string, result: string) => {
    const scope = { database: api.app.nest.get(Database), userId: 'user_1', EntityRecord };
    return runInNewContext(`(async () => { ${code}\nreturn ${result}; })()`, scope) as Promise<unknown>;
  };

  const readNames = async () => {
    const text = 'SELECT name FROM entities ORDER BY name';
    const rows = await api.app.nest
      .get(Database)
      .query<{ name: string }>({ name: 'spec:names', text, values: [], userId: 'user_1' });
    return rows.map(({ name }) => name);
  };

  it('has three blocks, each with a result', () => {
    expect(blocks.map((code) => /^const (\w+) =/.exec(code)?.[1])).toEqual(['copy', 'saved', 'newest']);
  });

  it('changes two rows in one transaction', async () => {
    expect(await run(blocks[0] ?? '', 'copy')).toMatchObject({ name: 'Kettle, copy', ownerId: 'user_1' });
    expect(await readNames()).toEqual(['Kettle, copy', 'Kettle, sold']);
  });

  it('goes on after a savepoint', async () => {
    expect(await run(blocks[1] ?? '', 'saved')).toEqual(['fulfilled', 'rejected']);
    expect(await readNames()).toEqual(['Teapot']);
  });

  it('reads the rows of all users, with a line in the journal', async () => {
    await run(blocks[0] ?? '', 'copy');
    expect(await run(blocks[2] ?? '', 'newest.map(({ ownerId }) => ownerId)')).toEqual(
      expect.arrayContaining(['user_1', 'user_ada']),
    );
    // What is rolled back with the test is seen by its own session only.
    const lines = isolation === 'delete' ? [{ reason: 'support: the newest records' }] : [];
    expect(await api.database.query('SELECT reason FROM ops.system_uses')).toEqual(lines);
  });
});
