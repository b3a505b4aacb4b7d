import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createBaseline } from './create-baseline.js';
import { createProtection } from './create-protection.js';
import { ScratchWorkspace } from './workspace.fixture.js';

const MODEL = 'libs/model/src';
const INDEX = `${MODEL}/migrations/index.ts`;
const ODD = "CREATE FUNCTION public.odd() RETURNS text LANGUAGE sql AS 'SELECT $${x}$$ || `a` -- \\d\r\n  '";
const SCHEMA = `
CREATE TABLE public.orders (); ALTER TABLE public.orders OWNER TO owner;
CREATE TABLE public.lines (); ALTER TABLE public.lines OWNER TO owner;
CREATE TABLE public.views () PARTITION BY RANGE (at); ALTER TABLE public.views OWNER TO owner;
CREATE TABLE public."User Note" (); ALTER TABLE public."User Note" OWNER TO owner;
CREATE TABLE public.done (); ALTER TABLE public.done OWNER TO owner;
ALTER TABLE public.orders ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY NOT NULL;
ALTER TABLE public.orders ADD COLUMN customer_id bigint NOT NULL;
ALTER TABLE public.orders ADD COLUMN login character varying(40) DEFAULT 'x'::character varying;
ALTER TABLE public.lines ADD COLUMN order_id bigint NOT NULL;
ALTER TABLE public."User Note" ADD COLUMN "userId" uuid;
ALTER TABLE public.lines ADD CONSTRAINT lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE CASCADE;
CREATE INDEX orders_open_idx ON public.orders USING btree (customer_id) WHERE (id > 3);
CREATE INDEX lines_order_id_idx ON public.lines USING btree (order_id, line);
ALTER TABLE public.done ENABLE ROW LEVEL SECURITY;
`;

let workspace: ScratchWorkspace;
beforeEach(() => {
  workspace = new ScratchWorkspace();
  workspace.write(`${MODEL}/records/released.json`, '{}\n');
  workspace.write(`${MODEL}/records/unprotected.json`, '[]\n');
});
afterEach(() => workspace.remove());

const write = () =>
  createBaseline({
    root: workspace.root,
    statements: ['CREATE SCHEMA warehouse', ODD],
    suggestions: { orders: { id: `'internal'`, "it's": `personal('text')`, 'two\nlines': `'internal'` } },
    unprotected: ['orders', 'lines', 'views', 'User Note'],
  });

describe('createBaseline', () => {
  it('writes the first migration, with every byte of a statement', async () => {
    const [path = ''] = await write();
    expect(path).toBe(`${MODEL}/migrations/20251231235959-baseline.ts`);
    const source = workspace.read(path);
    const literals = [...source.matchAll(/`(?:[^`\\]|\\.)*`/gs)].map(([text]) => (0, eval)(text) as string);
    expect(literals).toEqual(['CREATE SCHEMA warehouse', ODD]);
    expect(source).toMatch(/isBaseline: true/);
    expect(workspace.read(INDEX)).toMatch(
      /import { baseline }[\s\S]*import { createParcels }[\s\S]*= \[baseline, createParcels, addNickname\]/,
    );
  });

  it('gives every column the class secret, and its suggestion as a comment', async () => {
    await write();
    const source = workspace.read(`${MODEL}/entities/adopted.ts`);
    expect(source).toContain(`id: 'secret', // 'internal'`);
    expect(source).toContain(`"it's": 'secret', // personal('text')`);
    expect(source).toContain(String.raw`'two\nlines': 'secret', // 'internal'`);
    expect(workspace.read(`${MODEL}/entities/index.ts`)).toMatch(
      /import { adoptedClasses } from '.\/adopted.js';[\s\S]*fromEntries\(\[...Object.entries\(adoptedClasses\), parcelClasses\]/,
    );
    expect(JSON.parse(workspace.read(`${MODEL}/records/unprotected.json`))).toEqual([
      'orders',
      'lines',
      'views',
      'User Note',
    ]);
  });

  it.each([
    ['a second time', () => write(), 'already has a baseline'],
    [
      'after a release',
      () => Promise.resolve(workspace.write(`${MODEL}/records/released.json`, '{"a":"b"}')),
      'which databases of a release have run',
    ],
  ])('refuses %s, and writes nothing', async (_, before, message) => {
    await before();
    const files = workspace.snapshot();
    await expect(write()).rejects.toThrow(message);
    expect(workspace.snapshot()).toEqual(files);
  });
});

describe('createProtection', () => {
  beforeEach(async () => {
    await write();
    workspace.write(`${MODEL}/schema.sql`, SCHEMA);
  });
  const protect = async (table: string, visibility: Parameters<typeof createProtection>[0]['visibility']) => {
    const { path, hasIndex } = await createProtection({ root: workspace.root, table, visibility });
    return { hasIndex, source: workspace.read(path) };
  };

  it('compares the owner with the user, in the type of the column', async () => {
    const { source, hasIndex } = await protect('orders', { owner: 'customer_id' });
    expect(source).toContain(`USING (customer_id = nullif(current_setting('app.user_id', true), '')::bigint)`);
    expect(source).toContain(
      'CREATE POLICY orders_system ON public.orders TO airlock_system USING (true) WITH CHECK (true)',
    );
    expect(source).toContain('ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
    expect(hasIndex).toBe(false);
    expect(JSON.parse(workspace.read(`${MODEL}/records/unprotected.json`))).toEqual(['lines', 'views', 'User Note']);
  });

  it('follows a foreign key to a table that is protected already', async () => {
    await expect(protect('lines', { through: 'lines_order_id_fkey' })).rejects.toThrow(
      'orders: has no row-level security',
    );
    expect((await protect('orders', { owner: 'login' })).source).toContain(
      `(login = current_setting('app.user_id', true))`,
    );
    const { source, hasIndex } = await protect('lines', { through: 'lines_order_id_fkey' });
    expect(source).toContain('EXISTS (SELECT FROM public.orders parent WHERE parent.id = lines.order_id)');
    expect(hasIndex).toBe(true);
  });

  it('quotes names, and lets all users read what is shared', async () => {
    expect((await protect('User Note', { owner: 'userId' })).source).toContain(
      `CREATE POLICY "User Note_owner" ON public."User Note"`,
    );
    expect((await protect('orders', { shared: true })).source).toContain(
      'CREATE POLICY orders_shared ON public.orders FOR SELECT USING (true)',
    );
  });

  it('hides a table from every user, which also closes the partitions of another', async () => {
    const { source } = await protect('orders', { system: true });
    expect(source.match(/CREATE POLICY \S+/g)).toEqual(['CREATE POLICY orders_system']);
    const { isPartitioned } = await createProtection({
      root: workspace.root,
      table: 'views',
      visibility: { shared: true },
    });
    expect(isPartitioned).toBe(true);
  });

  it.each([
    ['an unknown table', 'order', { shared: true }, 'has no such table in schema public'],
    [
      'an unknown column',
      'orders',
      { owner: 'owner_id' },
      'orders has no such column; expected one of\n  id\n  customer_id\n  login',
    ],
    ['an unknown key', 'lines', { through: 'x' }, 'expected one of\n  lines_order_id_fkey'],
    ['a protected table', 'done', { shared: true }, 'already has row-level security'],
    ['a hostile name', `orders'; DROP`, { shared: true }, 'has no such table'],
  ] as const)('refuses %s, and writes nothing', async (_, table, visibility, message) => {
    const files = workspace.snapshot();
    await expect(protect(table, visibility)).rejects.toThrow(message);
    expect(workspace.snapshot()).toEqual(files);
  });
});
