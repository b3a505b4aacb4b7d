import { describe, expect, it } from '@jest/globals';
import { previewRows, seed } from '@airlock/database/internal';
import { type TestDatabase, withTestDatabase } from '@airlock/database-dev/testing';
import { model } from '../model.js';

const { seeds } = model;
/** As every release makes it: a changed word or order of calls would add rows beside those of an earlier release. */
const FIRST = {
  id: '018cfde0-a42d-7e75-aae9-73139740cd18',
  ownerId: 'user_ada',
  name: 'Captain’s “best” chair',
  attributes: { colour: 'coral', priority: 4, tags: ['repaired'] },
  version: 1,
};
/** More than test databases have from their template. */
const SIZE = 400;

async function dump(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query<{ row: string }>(`SELECT t::text AS row FROM public.${table} AS t ORDER BY 1`);
  return rows.map(({ row }) => row);
}

describe.each(seeds.tables.map(({ table }) => table))('the seeds of %s', (table) => {
  it('are accepted by the database, the same in each, and complete after one run', () =>
    withTestDatabase((one) =>
      withTestDatabase(async (other) => {
        for (const { config } of [one, other]) await seed({ config, seeds, size: SIZE });
        const rows = await dump(one, table);
        expect(rows.length).toBeGreaterThan(0);
        expect(await dump(other, table)).toEqual(rows);
        await expect(seed({ config: one.config, seeds, size: SIZE })).resolves.toMatchObject({ inserted: 0 });
        expect(await dump(one, table)).toEqual(rows);
      }),
    ));

  it('name no address or number that a person could have', () => {
    const text = JSON.stringify(previewRows(seeds, SIZE)[table]);
    expect((text.match(/[^\s"]+@[^\s"]+/g) ?? []).filter((address) => !address.endsWith('@example.org'))).toEqual([]);
    expect((text.match(/\+\d{6,}/g) ?? []).filter((number) => !/^\+441632960\d{3}$/.test(number))).toEqual([]);
  });
});

describe('the seeds of entities', () => {
  const rows = previewRows(seeds, SIZE)['entities'] as { id: string; name: string; createdAt: Date; version: number }[];

  it('never change: a release adds the rows that an older one added', () => {
    expect(rows[0]).toMatchObject(FIRST);
  });

  it('have ids of version 7 that sort by time', () => {
    const isVersion7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(rows.filter(({ id }) => !isVersion7.test(id))).toEqual([]);
    const byTime = rows.toSorted((a, b) => Number(a.createdAt) - Number(b.createdAt)).map(({ id }) => id);
    expect(byTime).toEqual(rows.map(({ id }) => id).toSorted());
  });

  it.each([
    ['two years', () => new Set(rows.map(({ createdAt }) => createdAt.getUTCFullYear())).size === 2],
    ['a name of one letter', () => rows.some(({ name }) => name.length === 1)],
    ['a name of the longest kind', () => rows.some(({ name }) => name.length === 200)],
    ['a name in Arabic or Hebrew', () => rows.some(({ name }) => /[\u0590-\u06ff]/.test(name))],
    ['a changed row', () => rows.some(({ version }) => version > 1)],
  ])('contain %s', (_, isThere) => expect(isThere()).toBe(true));
});
