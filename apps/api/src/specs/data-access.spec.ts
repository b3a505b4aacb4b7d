import { readFileSync } from 'node:fs';
import { EntityRecord } from '@airlock/model/orm';
import { Database } from '@airlock/service';
import { describe, expect, it } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const page = readFileSync(new URL('../../../../docs/data-access.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

describe('docs/data-access.md', () => {
  const api = useTestApi();
  // The code of a page is not a module, so it is compiled here.
  const run = (code: string, result: string) =>
    new Function('database', 'userId', 'EntityRecord', `return (async () => { ${code}\nreturn ${result}; })()`)(
      api.app.nest.get(Database),
      'user_1',
      EntityRecord,
    ) as Promise<unknown>;

  it('has three blocks, each with a result', () => {
    expect(blocks.map((code) => /^const (\w+) =/.exec(code)?.[1])).toEqual(['copy', 'saved', 'newest']);
  });

  it('changes two rows in one transaction', async () => {
    expect(await run(blocks[0] ?? '', 'copy')).toMatchObject({ name: 'Kettle, copy', ownerId: 'user_1' });
    const names = await api.database.query<{ name: string }>(
      `SELECT name FROM entities WHERE owner_id = 'user_1' ORDER BY name`,
    );
    expect(names.map(({ name }) => name)).toEqual(['Kettle, copy', 'Kettle, sold']);
  });

  it('goes on after a savepoint', async () => {
    expect(await run(blocks[1] ?? '', 'saved')).toEqual(['fulfilled', 'rejected']);
    expect(await api.database.query(`SELECT name FROM entities WHERE owner_id = 'user_1'`)).toEqual([
      { name: 'Teapot' },
    ]);
  });

  it('reads the rows of all users, with a line in the journal', async () => {
    await run(blocks[0] ?? '', 'copy');
    expect(await run(blocks[2] ?? '', 'newest.map(({ ownerId }) => ownerId)')).toEqual(
      expect.arrayContaining(['user_1', 'user_ada']),
    );
    expect(await api.database.query('SELECT reason FROM ops.system_uses')).toEqual([
      { reason: 'support: the newest records' },
    ]);
  });
});
