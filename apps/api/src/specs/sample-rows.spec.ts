import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { seed } from '@airlock/database/internal';
import { model } from '@airlock/model';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const README = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');
const [, USER = '', PATH = ''] = /token --sub (\w+)\)" localhost:8000(\S+)/.exec(README) ?? [];

interface Page {
  readonly items: { readonly id: string; readonly name: string; readonly createdAt: string }[];
  readonly nextCursor: string | null;
}

describe('the first request of the README, after `make dev` has seeded the database', () => {
  const api = useTestApi();

  beforeEach(async () => {
    await seed({ config: api.database.config, seeds: model.seeds });
  });

  async function list(query: Record<string, string> = {}, as = USER): Promise<Page> {
    const response = await api.request({ method: 'GET', url: PATH, query, as });
    expect(response.statusCode).toBe(200);
    return response.json<Page>();
  }

  async function count(condition = 'true'): Promise<number> {
    const sql = `SELECT count(*)::int AS count FROM entities WHERE owner_id = $1 AND ${condition}`;
    const [row] = await api.database.query<{ count: number }>(sql, [USER]);
    return row?.count ?? 0;
  }

  it('shows a full page, and the rest on the next ones', async () => {
    let page = await list();
    const ids = new Set(page.items.map(({ id }) => id));
    for (let pages = 1; page.nextCursor !== null; pages += 1) {
      expect(page.items).toHaveLength(20);
      page = await list({ cursor: page.nextCursor });
      expect(pages).toBeLessThan(20);
      for (const { id } of page.items) ids.add(id);
    }
    expect(ids.size).toBe(await count());
    expect(ids.size).toBeGreaterThan(100);
  });

  it('can be filtered by name and by time', async () => {
    const { items } = await list({ limit: '100' });
    const name = items.find((item) => /[^\0-\x7f]/.test(item.name))?.name ?? '';
    expect(new Set((await list({ name })).items.map((item) => item.name))).toEqual(new Set([name]));
    const [since, until] = ['2025-01-01T00:00:00Z', '2025-04-01T00:00:00Z'];
    const spring = await list({ createdFrom: since, createdBefore: until, limit: '100' });
    expect(spring.items.length).toBeGreaterThan(0);
    expect(spring.items).toHaveLength(await count(`created_at >= '${since}' AND created_at < '${until}'`));
  });

  it('shows a row alone, and nothing to a user without rows', async () => {
    const [first] = (await list()).items;
    const response = await api.request({ method: 'GET', url: `${PATH}/${first?.id}`, as: USER });
    expect(response.json()).toEqual(first);
    expect((await list({}, 'user_0')).items).toEqual([]);
  });
});
