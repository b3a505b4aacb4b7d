import { useTestDatabase } from '@airlock/database-dev/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { SchemaCollector } from '../openapi/schema-collector.js';
import { CursorCodec } from './cursor.js';
import { type DataWorld, openDataWorld } from './data-world.fixture.js';
import { createListStatement, type FilterValue, type ListShape } from './list.js';
import { Pages } from './pages.js';
import { anyOf, yesOrNo } from './resource-schemas.js';

const SHAPE: ListShape = {
  table: 'tickets',
  columns: 'tickets.id, tickets.number',
  sorts: { number: { column: 'number', type: 'text' } },
  filters: {
    status: { column: 'status', operator: 'in', type: 'text' },
    isUnseen: { column: 'seen_at', operator: 'is null' },
    seenFrom: { column: 'seen_at', operator: '>=', type: 'timestamptz' },
    seenBefore: { column: 'seen_at', operator: '<', type: 'timestamptz' },
    numberPrefix: { column: 'number', operator: 'prefix', type: 'text' },
  },
};
type Filters = Record<string, FilterValue>;
/** Characters that are special in LIKE, in arrays or in SQL, and those at the ends of ranges of UTF-8. */
const HOSTILE = [
  '%',
  '_',
  '\\',
  "'",
  '"',
  ',',
  '{}',
  'NULL',
  '*',
  '\u007f',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10ffff}',
];
const anyText = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE, 'a', 'b'), fc.string({ unit: 'binary', maxLength: 2 })), { maxLength: 4 })
  .map((parts) => parts.join(''))
  .filter((text) => text.length > 0 && text.isWellFormed() && !text.includes('\0'));

describe('the filters of a list', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  let world: DataWorld;
  let pages: Pages;

  beforeAll(async () => {
    for (const sql of [
      `CREATE TABLE tickets (id uuid PRIMARY KEY DEFAULT uuidv7(), owner_id text NOT NULL, number text NOT NULL,
         status text NOT NULL DEFAULT 'open', seen_at timestamptz)`,
      'CREATE INDEX tickets_number ON tickets (owner_id, number, id)',
      'CREATE INDEX tickets_status ON tickets (owner_id, status)',
      'CREATE INDEX tickets_seen ON tickets (owner_id, seen_at)',
      'ALTER TABLE tickets ENABLE ROW LEVEL SECURITY',
      `CREATE POLICY tickets_owner ON tickets USING (owner_id = current_setting('app.user_id', true))`,
      `GRANT SELECT ON tickets TO ${test.config.database.app.user}`,
    ])
      await test.query(sql);
    world = await openDataWorld(test.config);
    pages = new Pages(world.database, new CursorCodec(undefined, 'testing'));
  });
  beforeEach(() => test.query('TRUNCATE tickets'));
  afterAll(() => world.close());

  const add = (rows: readonly object[], owner = 'user_1') =>
    test.query(
      `INSERT INTO tickets (owner_id, number, status, seen_at) SELECT $1, number, coalesce(status, 'open'), seen_at
         FROM jsonb_to_recordset($2) AS row (number text, status text, seen_at timestamptz)`,
      [owner, JSON.stringify(rows)],
    );
  /** In pages of one row, so that every row but the last is a cursor. */
  const list = async (filters: Filters) => {
    const numbers: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const request = { limit: 1, sort: 'number', ...filters, ...(cursor && { cursor }) };
      const page = await pages.load<{ id: string; number: string }>(SHAPE, 'user_1', request);
      numbers.push(...page.items.map(({ number }) => number));
      cursor = page.nextCursor;
    }
    return numbers;
  };

  it('select rows by one or several values, by a range, with and without a value', async () => {
    await add([
      { number: 'a', status: 'open' },
      { number: 'b', status: 'paid', seen_at: '2026-01-01T00:00:00Z' },
      { number: 'c', status: 'closed', seen_at: '2026-02-01T00:00:00Z' },
      { number: 'd', status: 'paid', seen_at: '2026-03-01T00:00:00Z' },
    ]);
    await add([{ number: 'foreign', status: 'paid' }], 'user_2');
    expect(await list({ status: ['paid'] })).toEqual(['b', 'd']);
    expect(await list({ status: ['closed', 'open'] })).toEqual(['a', 'c']);
    expect(await list({ isUnseen: true })).toEqual(['a']);
    expect(await list({ isUnseen: false })).toEqual(['b', 'c', 'd']);
    expect(await list({ seenFrom: '2026-02-01T00:00:00Z', seenBefore: '2026-03-01T00:00:00Z' })).toEqual(['c']);
    expect(await list({ status: ['open', 'paid'], isUnseen: false, numberPrefix: 'd' })).toEqual(['d']);
  });

  it('find exactly the texts that begin with a prefix, whatever its characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(anyText, { minLength: 3, maxLength: 12 }), anyText, async (texts, end) => {
        const [prefix = ''] = texts;
        const numbers = [...new Set([...texts, prefix + end, `${prefix}\u{10ffff}`])];
        await test.query('TRUNCATE tickets');
        await add(numbers.map((number) => ({ number })));
        const found = await list({ numberPrefix: prefix });
        expect(found.toSorted()).toEqual(numbers.filter((number) => number.startsWith(prefix)).toSorted());
      }),
      { numRuns: 100 },
    );
  });

  it('find them beside their neighbours in the order of code points', async () => {
    const numbers = HOSTILE.flatMap((character) => [character, `${character}a`, `a${character}`]);
    await add(numbers.map((number) => ({ number })));
    for (const prefix of HOSTILE.flatMap((character) => [character, `a${character}`]))
      expect((await list({ numberPrefix: prefix })).toSorted()).toEqual(
        numbers.filter((number) => number.startsWith(prefix)).toSorted(),
      );
  });

  it('take any value of `in` as a value', async () => {
    await add(HOSTILE.map((status, at) => ({ number: String(at).padStart(2, '0'), status })));
    for (const [at, status] of HOSTILE.entries())
      expect(await list({ status: [status, "') OR true --"] })).toEqual([String(at).padStart(2, '0')]);
  });

  it('refuse a cursor of other values', async () => {
    await add(['a1', 'a2', 'b1'].map((number) => ({ number })));
    const request = { limit: 1, sort: 'number', status: ['closed', 'open'], isUnseen: true, numberPrefix: 'a' };
    const { nextCursor } = await pages.load(SHAPE, 'user_1', request);
    expect(nextCursor).not.toBeNull();
    const next = { ...request, cursor: nextCursor ?? '' };
    expect((await pages.load(SHAPE, 'user_1', next)).items).toHaveLength(1);
    for (const other of [{ status: ['open'] }, { isUnseen: false }, { numberPrefix: 'b' }])
      await expect(pages.load(SHAPE, 'user_1', { ...next, ...other })).rejects.toMatchObject({
        code: 'invalid-cursor',
      });
  });

  it('throw for a text in place of true or false, which would be true whatever it says', () =>
    expect(list({ isUnseen: 'false' })).rejects.toThrow('expected yesOrNo'));

  // A plan for any value cannot know that a value of `in` is rare; otherwise it reads in the order of the list.
  it.each<[string, Filters, 'custom' | 'generic', RegExp]>([
    ['prefix', { numberPrefix: 'n-00' }, 'generic', /tickets_number.*Index Cond: .*number >= .*number < /s],
    ['in', { status: ['paid', 'lost'] }, 'custom', /tickets_status.*Index Cond: .*status = ANY/s],
    ['is null', { isUnseen: true }, 'generic', /tickets_seen.*Index Cond: .*seen_at IS NULL/s],
    [
      'range',
      { seenFrom: '2026-01-01', seenBefore: '2026-01-02' },
      'generic',
      /tickets_seen.*Index Cond: .*seen_at >= /s,
    ],
  ])('use the index behind the owner, under row-level security: %s', async (_, filters, mode, plan) => {
    await test.query(`
      INSERT INTO tickets (owner_id, number, status, seen_at)
      SELECT 'user_' || n % 3, 'n-' || lpad(n::text, 5, '0'), CASE n % 400 WHEN 0 THEN 'paid' ELSE 'open' END,
             CASE WHEN n % 400 > 0 THEN timestamptz '2026-01-01' + n * interval '1 hour' END
        FROM generate_series(1, 30000) n`);
    await test.query('ANALYZE tickets');
    const { text, values } = createListStatement(SHAPE, { sort: 'number', filters, after: undefined, limit: 20 });
    const admin = await test.admin();
    await admin.query(`BEGIN; SET LOCAL ROLE ${test.config.database.app.user}; SET LOCAL app.user_id = 'user_1';
      SET LOCAL plan_cache_mode = force_${mode}_plan; PREPARE listed AS ${text}`);
    const execute = `EXPLAIN EXECUTE listed (${values.map(literal).join(', ')})`;
    const { rows } = await admin.query<{ 'QUERY PLAN': string }>(execute);
    await admin.query('ROLLBACK; DEALLOCATE listed');
    const lines = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(lines).toMatch(plan);
    expect(lines).toMatch(/Index Cond: \(\(owner_id = /);
    expect(lines).not.toMatch(/Filter:/);
  });
});

describe('the schemas of filters', () => {
  const schema = z.strictObject({
    status: anyOf(['open', 'paid', 'closed']).optional().describe('Only these.'),
    isUnseen: yesOrNo.optional(),
  });

  it.each<[unknown, unknown]>([
    ['paid', ['paid']],
    ['paid,open', ['open', 'paid']],
    [
      ['paid', 'open,paid'],
      ['open', 'paid'],
    ],
  ])('accept %j as the same values in one order', (status, expected) =>
    expect(schema.parse({ status })).toEqual({ status: expected }),
  );

  it.each<object>([
    { status: '' },
    { status: 'paid,' },
    { status: 'paid, open' },
    { status: ['paid', 'lost'] },
    { status: [] },
    { status: { paid: '1' } },
    { status: "paid' OR true" },
    { isUnseen: '' },
    { isUnseen: 'TRUE' },
    { isUnseen: ['true', 'false'] },
  ])('refuse %j', (query) => expect(schema.safeParse(query).success).toBe(false));

  it('are described in OpenAPI', () => {
    expect(new SchemaCollector({}).describeParameters(schema, 'query')).toEqual([
      {
        ...{ name: 'status', in: 'query', required: false, description: 'Only these.' },
        schema: { type: 'array', items: { type: 'string', enum: ['open', 'paid', 'closed'] }, minItems: 1 },
      },
      { name: 'isUnseen', in: 'query', required: false, schema: { type: 'boolean' } },
    ]);
  });
});

function literal(value: unknown): string {
  if (Array.isArray(value)) return `ARRAY[${value.map(literal).join(', ')}]`;
  return typeof value === 'string' ? `'${value}'` : String(value);
}
