import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, Secret } from '@airlock/config';
import { openDataSource } from '@airlock/database';
import { describeWithRedis } from '@airlock/database-dev/testing';
import { type App, createApp } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { useTestApi } from '../testing/use-test-api.fixture.js';
import type { Entity, EntityPage } from './entity.schemas.js';

const URL = '/api/v1/entities';
/** 20 ms apart: in total several times as long as a closed cache takes to open. */
const MAX_UNSEEN = 500;

describe.each(['delete', 'rollback'] as const)('entities, on a database isolated by %s', (isolation) => {
  const api = useTestApi({ isolation });
  const create = async (name: string, as = 'user_1') => {
    const response = await api.request({
      as,
      method: 'POST',
      url: URL,
      payload: { name, attributes: { tags: ['a'] } },
    });
    expect(response.statusCode).toBe(201);
    return response.json<Entity>();
  };
  const list = async (query = '', as = 'user_1') =>
    (await api.request({ as, url: `${URL}${query}` })).json<EntityPage>();
  const namesOf = ({ items }: EntityPage) => items.map(({ name }) => name);

  it('requires a token', async () => {
    const response = await api.request({ url: URL });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
  });

  it('creates a record and returns its location', async () => {
    const response = await api.request({ as: 'user_1', method: 'POST', url: URL, payload: { name: 'Kettle' } });
    const entity = response.json<Entity>();
    expect(response.headers).toMatchObject({ etag: '"v1-testing"', location: `${URL}/${entity.id}` });
    expect(entity).toMatchObject({ name: 'Kettle', version: 1 });
    expect(entity.attributes).toEqual({});
    expect(entity.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(entity.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('reads a record, and returns 304 to a caller that already has its version', async () => {
    const entity = await create('Kettle');
    const first = await api.request({ as: 'user_1', url: `${URL}/${entity.id}` });
    expect(first.json()).toEqual(entity);
    const again = await api.request({
      as: 'user_1',
      url: `${URL}/${entity.id}`,
      headers: { 'if-none-match': '"v1-testing"' },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it('changes the version that the caller has read', async () => {
    const { id, createdAt } = await create('Kettle');
    const change = {
      as: 'user_1',
      method: 'PATCH',
      url: `${URL}/${id}`,
      headers: { 'if-match': '"v1-testing"' },
    } as const;
    const response = await api.request({ ...change, payload: { name: 'Teapot' } });
    expect(response.headers['etag']).toBe('"v2-testing"');
    expect(response.json()).toMatchObject({ id, name: 'Teapot', attributes: { tags: ['a'] }, version: 2, createdAt });
    const conflict = await api.request({ ...change, payload: { name: 'Urn' } });
    expect(conflict.json()).toMatchObject({ status: 412, code: 'precondition-failed' });
  });

  it('applies exactly one of many concurrent changes', async () => {
    const { id } = await create('Kettle');
    const change = (name: string) =>
      api.request({
        as: 'user_1',
        method: 'PATCH',
        url: `${URL}/${id}`,
        headers: { 'if-match': '"v1-testing"' },
        payload: { name },
      });
    const statuses = (await Promise.all(['a', 'b', 'c', 'd', 'e'].map(change))).map(({ statusCode }) => statusCode);
    expect(statuses.sort()).toEqual([200, 412, 412, 412, 412]);
  });

  it('deletes the version that the caller has read', async () => {
    const { id } = await create('Kettle');
    const remove = { as: 'user_1', method: 'DELETE', url: `${URL}/${id}` } as const;
    expect((await api.request({ ...remove, headers: { 'if-match': '"v2-testing"' } })).statusCode).toBe(412);
    expect((await api.request({ ...remove, headers: { 'if-match': '"v1-testing"' } })).statusCode).toBe(204);
    expect((await api.request({ as: 'user_1', url: `${URL}/${id}` })).statusCode).toBe(404);
  });

  it.each(['PATCH', 'DELETE'] as const)('requires the version for %s', async (method) => {
    const { id } = await create('Kettle');
    const response = await api.request({ as: 'user_1', method, url: `${URL}/${id}`, payload: { name: 'x' } });
    expect(response.json()).toMatchObject({ status: 428, code: 'precondition-required' });
  });

  it.each(['GET', 'PATCH', 'DELETE'] as const)(
    "does not tell another owner's record from none at %s",
    async (method) => {
      const { id } = await create('Kettle', 'user_1');
      const headers = { 'if-match': '*' };
      const payload = method === 'PATCH' ? { payload: { name: 'Mine' } } : {};
      const foreign = await api.request({ as: 'user_2', method, url: `${URL}/${id}`, headers, ...payload });
      const missing = await api.request({
        as: 'user_2',
        method,
        url: `${URL}/019a0000-0000-7000-8000-000000000000`,
        headers,
        ...payload,
      });
      const shown = ({ json }: typeof foreign) => ({ ...json<Record<string, unknown>>(), instance: undefined });
      expect(foreign.statusCode).toBe(404);
      expect(shown(foreign)).toEqual(shown(missing));
    },
  );

  it('lists in pages that neither skip nor repeat, in either direction', async () => {
    for (const name of ['c', 'a', 'e', 'b', 'd']) await create(name, 'lister');
    for (const [sort, expected] of [
      ['name', 'abcde'],
      ['-name', 'edcba'],
      ['createdAt', 'caebd'],
      ['-createdAt', 'dbeac'],
    ] as const) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: EntityPage = await list(`?limit=2&sort=${sort}${cursor && `&cursor=${cursor}`}`, 'lister');
        seen.push(...namesOf(page));
        cursor = page.nextCursor;
      }
      expect(seen.join('')).toBe(expected);
    }
  });

  it('continues at the same position when records were created meanwhile', async () => {
    for (const name of ['a', 'b', 'c']) await create(name, 'lister');
    const first = await list('?limit=2&sort=-createdAt', 'lister');
    await create('d', 'lister');
    const second = await list(`?limit=2&sort=-createdAt&cursor=${first.nextCursor}`, 'lister');
    expect([namesOf(first), namesOf(second)]).toEqual([['c', 'b'], ['a']]);
  });

  it('filters by declared fields', async () => {
    const [early, late] = [await create('early', 'filterer'), await create('late', 'filterer')];
    expect(namesOf(await list('?name=late', 'filterer'))).toEqual(['late']);
    // now() is constant within a transaction.
    if (isolation === 'rollback') return;
    expect(namesOf(await list(`?createdFrom=${late.createdAt}`, 'filterer'))).toEqual(['late']);
    expect(namesOf(await list(`?createdBefore=${late.createdAt}`, 'filterer'))).toEqual(['early']);
    expect(namesOf(await list(`?createdFrom=${early.createdAt}&name=early`, 'filterer'))).toEqual(['early']);
  });

  it.each([
    '?owner_id=user_2',
    '?sort=owner_id',
    '?sort=attributes',
    '?limit=0',
    '?limit=101',
    '?limit=1e2',
    '?name=a&name=b',
    '?createdFrom=yesterday',
  ])('refuses the query %s', async (query) => {
    const response = await api.request({ as: 'user_1', url: `${URL}${query}` });
    expect(response.json()).toMatchObject({ status: 422, code: 'validation-failed' });
  });

  it('rejects a cursor that was changed, or issued for another list or user', async () => {
    for (const name of ['a', 'b', 'c']) await create(name, 'lister');
    const { nextCursor } = await list('?limit=1&sort=name', 'lister');
    const changed = nextCursor?.replace(/.(?=.{9}$)/, (character) => (character === 'A' ? 'B' : 'A'));
    for (const [as, query] of [
      ['lister', `?sort=name&cursor=${changed}`],
      ['lister', `?sort=-name&cursor=${nextCursor}`],
      ['lister', `?sort=name&name=b&cursor=${nextCursor}`],
      ['another', `?sort=name&cursor=${nextCursor}`],
    ] as const) {
      expect((await api.request({ as, url: `${URL}${query}` })).json()).toMatchObject({
        status: 400,
        code: 'invalid-cursor',
      });
    }
  });

  it('lists all errors of a body, by pointer', async () => {
    const payload = { name: '', attributes: [], owner_id: 'user_2', 'a/b': 1 };
    const response = await api.request({ as: 'user_1', method: 'POST', url: URL, payload });
    const pointers = response.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer);
    expect(pointers.sort()).toEqual(['#/attributes', '#/a~1b', '#/name', '#/owner_id']);
  });

  it('lists the errors of the address and the body together', async () => {
    const response = await api.request({
      as: 'user_1',
      method: 'PATCH',
      url: `${URL}/not-an-id`,
      headers: { 'if-match': '"v1-testing"' },
      payload: { name: 1, colour: 'red' },
    });
    const pointers = response.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer);
    expect(pointers.sort()).toEqual(['#/colour', '#/name', '#/path/id']);
  });

  it.each([
    ['braces', (id: string) => `{${id}}`],
    ['no hyphens', (id: string) => id.replaceAll('-', '')],
    ['a prefix', (id: string) => `urn:uuid:${id}`],
    ['white space', (id: string) => `%20${id}`],
    ['full-width digits', (id: string) => encodeURIComponent(id.replace('0', '０'))],
    ['a NUL', (id: string) => `${id}%00`],
  ])('rejects an id with %s before any query', async (_, spell) => {
    const { id } = await create('Kettle');
    for (const method of ['GET', 'DELETE'] as const) {
      const response = await api.request({
        as: 'user_1',
        method,
        url: `${URL}/${spell(id)}`,
        headers: { 'if-match': '*' },
      });
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
      expect(response.statusCode).toBeLessThan(500);
    }
    expect((await api.request({ as: 'user_1', url: `${URL}/${id}` })).statusCode).toBe(200);
  });

  it('stores names in any script, with the length that the database counts', async () => {
    const name = '🫖'.repeat(200);
    expect((await create(name)).name).toBe(name);
  });
});

describeWithRedis('entities of two replicas that share a Redis', (redis) => {
  const configure = (config: Config) => ({ ...config, redis: { url: new Secret(redis.url) } });
  const here = useTestApi({ configure });
  let there: App;
  beforeAll(async () => {
    there = await createApp(here.config, here);
    await openDataSource(there.nest.get(DataSource), here.config);
  });
  afterAll(() => there.nest.close());

  it('are read from the cache, and never older than the last acknowledged change', async () => {
    const headers = { authorization: `Bearer ${await here.issuer.sign({ sub: 'user_1' })}` };
    const create = { as: 'user_1', method: 'POST', url: URL, payload: { name: 'v1' } } as const;
    const { id } = (await here.request(create)).json<Entity>();
    const url = `${URL}/${id}`;
    const readThere = async () => {
      const response = await there.nest.inject({ url, headers });
      return response.statusCode === 200 ? response.json<Entity>().name : response.statusCode;
    };
    expect(await readThere()).toBe('v1');
    // Changed in the database directly: an older name can only come from the cache, after it has opened.
    let told: unknown;
    let count = 0;
    do {
      count += 1;
      await here.database.query(`UPDATE entities SET name = $2 WHERE id = $1`, [id, `unseen ${count}`]);
      told = await readThere();
      await sleep(20);
    } while (told === `unseen ${count}` && count < MAX_UNSEEN);
    expect(told).not.toBe(`unseen ${count}`);
    for (let version = 1; version <= 20; version += 1) {
      const change = { headers: { 'if-match': `"v${version}-testing"` }, payload: { name: `v${version + 1}` } };
      expect((await here.request({ as: 'user_1', method: 'PATCH', url, ...change })).statusCode).toBe(200);
      expect(await readThere()).toBe(`v${version + 1}`);
    }
    for (const spelling of [
      id.toUpperCase(),
      id.replace('a', '%61'),
      id.replace(/[a-f]/g, (letter) => letter.toUpperCase()),
    ])
      expect((await there.nest.inject({ url: `${URL}/${spelling}`, headers })).json()).toMatchObject({
        id,
        name: 'v21',
      });
    await here.request({
      as: 'user_1',
      method: 'DELETE',
      url: `${URL}/${id.toUpperCase()}`,
      headers: { 'if-match': '*' },
    });
    for (const spelling of [id, id.toUpperCase(), id.replace('a', '%61'), id.replace('a', '%41')])
      expect((await there.nest.inject({ url: `${URL}/${spelling}`, headers })).statusCode).toBe(404);
    expect((await here.request({ as: 'user_2', url })).statusCode).toBe(404);
  });

  it('apply exactly one of many concurrent changes, sent to either replica', async () => {
    const headers = {
      authorization: `Bearer ${await here.issuer.sign({ sub: 'user_1' })}`,
      'if-match': '"v1-testing"',
    };
    const create = { as: 'user_1', method: 'POST', url: URL, payload: { name: 'v1' } } as const;
    const { id } = (await here.request(create)).json<Entity>();
    const change = ({ nest }: App, index: number) =>
      nest.inject({ method: 'PATCH', url: `${URL}/${id}`, headers, payload: { name: `by ${index}` } });
    const all = Array.from({ length: 40 }, (_, index) => change(index % 2 === 0 ? here.app : there, index));
    const answers = await Promise.all(all);
    const won = answers.filter(({ statusCode }) => statusCode === 200);
    expect(won).toHaveLength(1);
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200, 412]));
    const read = await there.nest.inject({ url: `${URL}/${id}`, headers });
    expect(read.json()).toEqual(won[0]?.json());
  });
});
