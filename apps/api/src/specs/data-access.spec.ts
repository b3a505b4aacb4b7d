import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { EntityRecord } from '@airlock/model/orm';
import { Database, type ReadCache, ReadCaches } from '@airlock/service';
import { describe, expect, it } from '@jest/globals';
import type { Entity } from '../entities/entity.schemas.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const page = readFileSync(new URL('../../../../docs/data-access.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

describe.each(['delete', 'rollback'] as const)('docs/data-access.md, on a database isolated by %s', (isolation) => {
  const api = useTestApi({ isolation });
  // The code of a page is not a module, so it is compiled here.
  const run = (code: string, result: string, more: object = {}) => {
    const scope = { database: api.app.nest.get(Database), userId: 'user_1', EntityRecord, ...more };
    return runInNewContext(`(async () => { ${code}\nreturn ${result}; })()`, scope) as Promise<unknown>;
  };

  const readNames = async () => {
    const text = 'SELECT name FROM entities ORDER BY name';
    const rows = await api.app.nest
      .get(Database)
      .query<{ name: string }>({ name: 'spec:names', text, values: [], userId: 'user_1' });
    return rows.map(({ name }) => name);
  };

  it('has blocks, each with a result', () => {
    expect(blocks.map((code) => /^const (\w+) =/.exec(code)?.[1])).toEqual(['copy', 'saved', 'changed', 'newest']);
  });

  it('adds two rows in one transaction', async () => {
    expect(await run(blocks[0] ?? '', 'copy')).toMatchObject({ name: 'Kettle, copy', ownerId: 'user_1' });
    expect(await readNames()).toEqual(['Kettle', 'Kettle, copy']);
  });

  it('goes on after a savepoint', async () => {
    expect(await run(blocks[1] ?? '', 'saved')).toEqual(['fulfilled', 'rejected']);
    expect(await readNames()).toEqual(['Teapot']);
  });

  it('changes a cached row', async () => {
    const copy = await run(blocks[0] ?? '', 'copy');
    const cache: ReadCache<Entity> = api.app.nest.get(ReadCaches).create('entities', 1);
    expect(await run(blocks[2] ?? '', 'changed', { copy, cache })).toMatchObject({ affected: 1 });
    expect(await readNames()).toEqual(['Kettle', 'Kettle, sold']);
  });

  it('reads the rows of all users, with a line in the journal', async () => {
    await run(blocks[0] ?? '', 'copy');
    expect(await run(blocks[3] ?? '', 'newest.map(({ ownerId }) => ownerId)')).toEqual(
      expect.arrayContaining(['user_1', 'user_ada']),
    );
    // What is rolled back with the test is seen by its own session only.
    const lines = isolation === 'delete' ? [{ reason: 'support: the newest records' }] : [];
    expect(await api.database.query('SELECT reason FROM ops.system_uses')).toEqual(lines);
  });
});
