import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadModule } from 'libpg-query';
import { clipIdentifier, parseIdentifier } from '@airlock/database/model';
import { useScratchCluster } from '@airlock/database/fixtures';
import { inventName, quoteIdentifier, quoteLiteral } from './names.js';

const cluster = useScratchCluster();

const STRANGE = [
  'plain',
  'with_1',
  '_x',
  '1st',
  'Mixed',
  'two words',
  'a.b',
  'a"b',
  '""',
  "it's",
  'cost$',
  'größe',
  'Größe',
  '名前',
  '😀',
  'back\\slash',
  'tab\there',
  'a\nb',
  '--',
  '/*',
  '$$',
  'é'.repeat(40),
];

describe('quoteIdentifier', () => {
  beforeAll(() => loadModule());

  it('quotes the same names as PostgreSQL, including every keyword', async () => {
    const { superuser } = await cluster.create();
    const { rows } = await superuser.query<{ word: string; quoted: string }>(
      'SELECT word, quote_ident(word) AS quoted FROM pg_get_keywords() UNION ALL SELECT w, quote_ident(w) FROM unnest($1::text[]) w',
      [STRANGE],
    );
    expect(rows.length).toBeGreaterThan(450);
    expect(rows.map(({ word }) => quoteIdentifier(word))).toEqual(rows.map(({ quoted }) => quoted));
  });

  it('reads its own output back, shortened as PostgreSQL does', async () => {
    const { superuser } = await cluster.create();
    for (const name of [...STRANGE, 'x'.repeat(62) + 'é', '名'.repeat(30)]) {
      await superuser.query(`CREATE TABLE public.${quoteIdentifier(name)} ()`);
      const { rows } = await superuser.query<{ relname: string }>(
        `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY oid DESC LIMIT 1`,
      );
      expect(rows).toEqual([{ relname: clipIdentifier(name) }]);
      expect(parseIdentifier(quoteIdentifier(name))).toBe(clipIdentifier(name));
    }
  });

  it('generates names that fit, with a complete label', () => {
    const name = inventName(['Orders', 'é'.repeat(40)], 'fkey');
    expect(name).toMatch(/^"Orders_é+_fkey"$/);
    expect(Buffer.byteLength(name) - 2).toBeLessThanOrEqual(63);
  });

  it('writes literals that PostgreSQL reads back', async () => {
    const { superuser } = await cluster.create();
    for (const text of STRANGE) {
      const { rows } = await superuser.query<{ text: string }>(`SELECT ${quoteLiteral(text)} AS text`);
      expect(rows).toEqual([{ text }]);
    }
  });
});
