import { Database, type ListShape, Pages } from '@airlock/service';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Entity, EntityPage } from '../entities/entity.schemas.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

jest.setTimeout(60_000);

const URL = '/api/v1/entities';
const SORTS = ['createdAt', '-createdAt', 'name', '-name'];
const LONGEST = 200;
/** The longest valid names, with characters that become longer in JSON, in UTF-8 or in an address. */
const LONG_NAMES = ['a', '"', '\\', '\u0001', '\u007f', 'ß', '語', '🫖', '%', '+', '\uffff'].map((character) =>
  character.repeat(LONGEST),
);
const anyName = fc
  .string({ unit: 'binary', minLength: 1, maxLength: LONGEST })
  .filter((name) => !name.includes('\0') && name.isWellFormed());

describe('pages', () => {
  const api = useTestApi();
  const get = (query: Record<string, string>, as = 'user_1') =>
    api.request({ as, url: `${URL}?${new URLSearchParams(query).toString()}` });
  const create = async (name: string, as = 'user_1') => {
    const response = await api.request({ as, method: 'POST', url: URL, payload: { name } });
    expect(response.statusCode).toBe(201);
    return response.json<Entity>();
  };
  /** Reads all rows in pages of one row, so that every row except the last becomes a cursor. */
  const walk = async (query: Record<string, string>, as?: string) => {
    const ids: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const response = await get({ ...query, limit: '1', ...(cursor && { cursor }) }, as);
      expect([response.statusCode, response.body.slice(0, 300)]).toEqual([200, expect.any(String)]);
      const page: EntityPage = response.json();
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    return ids;
  };

  it.each(SORTS)('continue after any valid name, sorted by %s', async (sort) => {
    const rows = await Promise.all(LONG_NAMES.map((name) => create(name)));
    const ids = await walk({ sort });
    expect(ids.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
  });

  it('skip and repeat no row, with any names', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyName, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(...SORTS),
        async (names, sort) => {
          const as = `walker_${(run += 1)}`;
          const rows = await Promise.all(names.map((name) => create(name, as)));
          const ids = await walk({ sort }, as);
          expect(ids.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reject every cursor with one changed character, as a problem', async () => {
    await create('a');
    await create('"🫖"');
    const { nextCursor } = (await get({ sort: 'name', limit: '1' })).json<EntityPage>();
    const cursor = nextCursor ?? '';
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
      const response = await get({ sort: 'name', limit: '1', cursor: changed });
      expect(response.json()).toMatchObject({ status: 400, code: 'invalid-cursor' });
    }
    for (const changed of [cursor.slice(0, -1), `${cursor}A`, 'A'])
      expect((await get({ sort: 'name', cursor: changed })).json()).toMatchObject({
        status: 400,
        code: 'invalid-cursor',
      });
  });
});

describe('the statements of a list', () => {
  const api = useTestApi();
  /** Together longer than a name in PostgreSQL may be, with the same first 63 bytes. */
  const TABLE = 'customer_invoices_of_every_branch_in_all_countries';
  const FILTERS = [
    'countryOfTheBillingAddress',
    'countryOfTheBillingAddressee',
    'größeDerRechnungInÖsterreich',
    '数量数量数量数量',
  ];
  const shape: ListShape = {
    table: TABLE,
    columns: `${TABLE}.id, ${TABLE}.name, ${TABLE}.name AS "nameOfTheCustomer"`,
    sorts: { name: { column: 'name', type: 'text' }, nameOfTheCustomer: { column: 'name', type: 'text' } },
    filters: Object.fromEntries(FILTERS.map((name) => [name, { column: 'name', operator: '>=', type: 'text' }])),
  };

  beforeAll(async () => {
    const admin = await api.database.admin();
    await admin.query(`CREATE TABLE ${TABLE} (id uuid PRIMARY KEY DEFAULT uuidv7(), name text NOT NULL)`);
    await admin.query(`GRANT SELECT ON ${TABLE} TO ${api.config.database.app.user}`);
    await admin.query(`INSERT INTO ${TABLE} (name) SELECT 'n' || g FROM generate_series(1, 5) g`);
  });

  it('are distinguished even if the names of a resource and its filters are long and similar', async () => {
    const pages = api.app.nest.get(Pages);
    for (const sort of ['name', '-name', 'nameOfTheCustomer', '-nameOfTheCustomer']) {
      for (let mask = 0; mask < 2 ** FILTERS.length; mask += 1) {
        const filters = Object.fromEntries(
          FILTERS.filter((_, index) => mask & (1 << index)).map((name) => [name, 'n2']),
        );
        const seen: string[] = [];
        let cursor: string | null | undefined;
        do {
          const page: { items: { id: string; name: string }[]; nextCursor: string | null } = await pages.load(
            shape,
            'user_1',
            { limit: 2, sort, ...filters, ...(cursor && { cursor }) },
          );
          seen.push(...page.items.map(({ name }) => name));
          cursor = page.nextCursor;
        } while (cursor !== null);
        expect(seen.toSorted()).toEqual(mask === 0 ? ['n1', 'n2', 'n3', 'n4', 'n5'] : ['n2', 'n3', 'n4', 'n5']);
      }
    }
  });

  it('run their own text even with the name of another statement', async () => {
    const ask = (text: string) => api.app.nest.get(Database).query({ name: 'same', text, values: [], userId: '' });
    expect([await ask('SELECT 1 AS n'), await ask('SELECT 2 AS n')]).toEqual([[{ n: 1 }], [{ n: 2 }]]);
  });
});
