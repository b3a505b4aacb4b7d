import { mkdtempSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as timers from 'node:timers/promises';
import { type Config, Secret } from '@airlock/config';
import { findUnclassified, migrate, readTables, seed } from '@airlock/database/internal';
import {
  type Classes,
  defineMigration,
  defineSeeds,
  type Migration,
  type Model,
  person,
  personal,
  type Seeds,
  type TableSeeds,
} from '@airlock/database/model';
import { checkTemplate, lintMigrations } from '@airlock/database-dev/migration-checks';
import * as jobs from '@airlock/jobs';
import { model } from '@airlock/model';
import * as orm from '@airlock/model/orm';
import {
  type Constraints,
  anyOf,
  boundedText,
  cursor,
  Database,
  Files,
  id,
  isoTimestamp,
  limit,
  Operation,
  Pages,
  Problem,
  Received,
  standardWebhooks,
  Subscriber,
  timestamp,
  UserId,
  yesOrNo,
} from '@airlock/service';
import { job, Jobs } from '@airlock/service/jobs';
import { html, Mailer, MailModule } from '@airlock/service/mail';
import { describeProduct } from '@airlock/service/product';
import { EventClient, signWebhook, useTestApp } from '@airlock/service/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import * as typeorm from 'typeorm';
import * as zod from 'zod';
import { api as definition } from '../api.js';
import { runPage } from '../testing/page-modules.fixture.js';

type AnyJob = (typeof jobs.jobs)[number];

const page = runPage(
  'beyond-crud.md',
  {
    'libs/model/src/entities/': { name: '@airlock/model/orm', exports: orm },
    'libs/jobs/': { name: '@airlock/jobs', exports: jobs },
  },
  {
    '@airlock/service': {
      anyOf,
      boundedText,
      cursor,
      Database,
      Files,
      id,
      isoTimestamp,
      limit,
      Operation,
      Pages,
      Problem,
      Received,
      standardWebhooks,
      Subscriber,
      timestamp,
      UserId,
      yesOrNo,
    },
    '@airlock/service/jobs': { job, Jobs },
    '@airlock/service/mail': { html, Mailer },
    '@airlock/database/model': { defineMigration, defineSeeds, person, personal },
    '@nestjs/common': nest,
    'node:timers/promises': timers,
    typeorm,
    zod,
  },
);
const declared = Object.assign({}, ...page.values()) as {
  createOrders: Migration;
  OrderRecord: nest.Type;
  OrderItemRecord: nest.Type;
  orderClasses: Classes;
  orderSeeds: TableSeeds;
  orderItemSeeds: TableSeeds;
  orderConstraints: Constraints;
  ordersConfirm: AnyJob;
  ordersCloseDrafts: AnyJob;
  OrdersModule: nest.Type;
};
const { createOrders, OrderRecord, OrderItemRecord, ordersConfirm, ordersCloseDrafts } = declared;
const extended: Model = {
  ...model,
  migrations: [...model.migrations, createOrders],
  loadClasses: async () => ({ ...(await model.loadClasses()), ...declared.orderClasses }),
  loadEntities: async () => [...(await model.loadEntities()), OrderRecord, OrderItemRecord],
};
const KEY = `whsec_${Buffer.from('k'.repeat(32)).toString('base64')}`;
const PDF = '%PDF-1.7\n%%EOF\n';

const URL = '/api/v1/orders';
interface Order {
  readonly id: string;
  readonly number: string;
  readonly status: string;
  readonly version: number;
}
interface Page {
  readonly items: Order[];
  readonly nextCursor: string | null;
}

describe('docs/beyond-crud.md', () => {
  const product = describeProduct(extended, [ordersConfirm, ordersCloseDrafts], [MailModule]);
  const constraints = [...definition.constraints, declared.orderConstraints];
  const api = useTestApp(
    { ...definition, ...product, constraints },
    {
      imports: [{ module: declared.OrdersModule }],
      configure: (config) => ({ ...config, billing: { billingKey: new Secret(KEY) } }) as Config,
    },
  );
  beforeAll(() => migrate({ config: api.database.config, migrations: extended.migrations }));
  // The reset after each test knows the tables of the model only.
  beforeEach(() => api.database.query('TRUNCATE orders CASCADE'));

  const request = (payload: object, as = 'user_1') => api.request({ as, method: 'POST', url: URL, payload });
  const items = [
    { product: 'Kettle', quantity: 2 },
    { product: 'Teapot', quantity: 1 },
  ];
  const place = async (number: string, more: object = {}, as?: string) => {
    const response = await request({ number, email: 'ada@example.com', items, ...more }, as);
    expect([response.statusCode, response.body]).toEqual([201, expect.any(String)]);
    return response.json<Order>();
  };
  const find = async (query: string, as = 'user_1') => {
    const response = await api.request({ as, url: `${URL}?sort=number&${query}` });
    return response.json<Page>();
  };
  const numbers = async (query: string, as?: string) => (await find(query, as)).items.map(({ number }) => number);
  const pay = async (order: string, id: string, account = 'user_1', key = KEY) => {
    const body = JSON.stringify({ account, order });
    const headers = { 'content-type': 'application/json', ...signWebhook({ key, body, id }) };
    return (await api.request({ method: 'POST', url: '/api/v1/payment-events', payload: body, headers })).statusCode;
  };

  it('writes an order and its items, or neither', async () => {
    const order = await place('A-1');
    expect(order).toMatchObject({ number: 'A-1', status: 'draft', repeatOf: null, version: 1 });
    const rows = 'SELECT owner_id, position, product FROM order_items ORDER BY position';
    expect(await api.database.query(rows)).toEqual([
      { owner_id: 'user_1', position: 0, product: 'Kettle' },
      { owner_id: 'user_1', position: 1, product: 'Teapot' },
    ]);
    expect((await request({ number: 'A-1', email: 'ada@example.com', items })).json()).toMatchObject({
      ...{ status: 409, code: 'conflict' },
      errors: [{ pointer: '#/number', detail: 'is the number of another order' }],
    });
    await api.database.query(`ALTER TABLE order_items ADD CONSTRAINT no_urns CHECK (product <> 'Urn')`);
    expect(
      (await request({ number: 'A-2', email: 'a@b.example', items: [{ product: 'Urn', quantity: 1 }] })).statusCode,
    ).toBe(500);
    await api.database.query('ALTER TABLE order_items DROP CONSTRAINT no_urns');
    expect(await numbers('')).toEqual(['A-1']);
    expect(await place('A-1', {}, 'user_2')).toMatchObject({ number: 'A-1' });
  });

  it('has sample orders with their items, which keep what a user changed', async () => {
    const { config } = api.database;
    const seeds: Seeds = { users: ['user_ada'], tables: [declared.orderSeeds, declared.orderItemSeeds] };
    await seed({ config, seeds, size: 30 });
    const { items: orders } = await find('limit=100', 'user_ada');
    expect(orders.length).toBeGreaterThan(15);
    const count =
      'SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM order_items) AS items';
    const [before] = await api.database.query<{ orders: number; items: number }>(count);
    expect(before).toMatchObject({ orders: 30 });
    expect(before?.items).toBeGreaterThan(30);
    await api.database.query(
      `DELETE FROM order_items; UPDATE orders SET status = 'closed', email = 'mine@example.org'`,
    );
    await seed({ config, seeds, size: 30 });
    expect(await api.database.query(count)).toEqual([before]);
    expect(await api.database.query('SELECT DISTINCT status, email FROM orders')).toEqual([
      { status: 'closed', email: 'mine@example.org' },
    ]);
  });

  it("does not tell another user's order from one that does not exist", async () => {
    const { id } = await place('A-1');
    expect(await place('A-2', { repeatOf: id })).toMatchObject({ repeatOf: id });
    const nobodys = '019a0000-0000-7000-8000-000000000000';
    const refused = [await request({ number: 'B-1', email: 'a@b.example', items, repeatOf: id }, 'user_2')];
    refused.push(await request({ number: 'B-1', email: 'a@b.example', items, repeatOf: nobodys }, 'user_2'));
    for (const response of refused)
      expect(response.json()).toMatchObject({
        status: 422,
        errors: [{ pointer: '#/repeatOf', detail: 'is not an order' }],
      });
  });

  it('searches by status, prefix, time, and rows without a value, in pages', async () => {
    const { id } = await place('100%-1');
    for (const number of ['100%-2', '100_-3', '1001', '200'])
      await place(number, number === '200' ? { repeatOf: id } : {});
    expect(await pay(id, 'msg_1')).toBe(204);
    expect(await numbers('status=paid')).toEqual(['100%-1']);
    expect(await numbers('status=paid&status=draft&isFirst=false')).toEqual(['200']);
    expect(await numbers('isFirst=true&status=closed,draft')).toEqual(['100%-2', '1001', '100_-3']);
    expect(await numbers(`numberPrefix=${encodeURIComponent('100%')}`)).toEqual(['100%-1', '100%-2']);
    expect(await numbers('numberPrefix=100_')).toEqual(['100_-3']);
    expect(await numbers('createdFrom=2020-01-01T00:00:00Z&createdBefore=2021-01-01T00:00:00Z')).toEqual([]);
    expect(await numbers('numberPrefix=1', 'user_2')).toEqual([]);
    const first = await find('limit=2&status=draft,paid');
    const next = await find(`limit=5&status=paid&status=draft&cursor=${first.nextCursor}`);
    expect([...first.items, ...next.items].map(({ number }) => number)).toEqual([
      '100%-1',
      '100%-2',
      '1001',
      '100_-3',
      '200',
    ]);
    const wrong = await api.request({ as: 'user_1', url: `${URL}?status=lost&isFirst=yes` });
    expect(wrong.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer)).toEqual([
      '#/query/status/0',
      '#/query/isFirst',
    ]);
  });

  it('marks an order as paid once for an event, and confirms it with one mail', async () => {
    const { id } = await place('A-1');
    expect(await Promise.all([pay(id, 'msg_1'), pay(id, 'msg_1'), pay(id, 'msg_2')])).toEqual([204, 204, 204]);
    expect((await find('')).items).toMatchObject([{ status: 'paid', version: 2 }]);
    expect(await api.runJobs()).toEqual([{ name: 'orders.confirm', outcome: 'done' }]);
    expect(await pay(id, 'msg_1')).toBe(204);
    const { nest: app } = api.app;
    const again = await app
      .get(Database)
      .asSystem('spec', (tx) => app.get(Jobs).send(tx, ordersConfirm, { ownerId: 'user_1', id } as never, { key: id }));
    expect(again).toBeUndefined();
    expect(await api.runJobs()).toEqual([]);
    expect(api.kept).toMatchObject([
      { kind: 'mail', name: 'order-confirmed', to: 'ada@example.com', subject: 'Your order A-1' },
    ]);
  });

  it('refuses a payment of another account, of no order and with another key', async () => {
    const { id } = await place('A-1');
    expect(await pay(id, 'msg_1', 'user_2')).toBe(404);
    expect(await pay(id, 'msg_1', 'user_1', `whsec_${Buffer.from('f'.repeat(32)).toString('base64')}`)).toBe(401);
    expect((await find('')).items).toMatchObject([{ status: 'draft' }]);
    expect(await api.runJobs()).toEqual([]);
  });

  it('attaches one invoice, which only its owner reads', async () => {
    const { id } = await place('A-1');
    const url = `${URL}/${id}/invoice`;
    const payload = `--b\r\ncontent-disposition: form-data; name="invoice"; filename="a.pdf"\r\n\r\n${PDF}\r\n--b--\r\n`;
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const attach = async (as: string) => (await api.request({ as, method: 'PUT', url, payload, headers })).statusCode;
    expect((await api.request({ as: 'user_1', url })).statusCode).toBe(404);
    expect(await attach('user_2')).toBe(404);
    expect((await Promise.all([attach('user_1'), attach('user_1')])).sort()).toEqual([204, 409]);
    expect((await api.request({ as: 'user_1', url })).body).toBe(PDF);
    expect((await api.request({ as: 'user_2', url })).statusCode).toBe(404);
    const keys = await api.database.query<{ key: string }>(`SELECT invoice->>'key' AS key FROM orders`);
    const waiting = await api.database.query<{ key: string }>('SELECT key FROM ops.files_to_remove');
    expect(keys).toHaveLength(1);
    expect(waiting).not.toContainEqual(keys[0]);
  });

  it('streams the changes of the orders of its user', async () => {
    await api.app.nest.listen(0, '127.0.0.1');
    const order = await place('A-1');
    await place('B-1', {}, 'user_2');
    const authorization = `Bearer ${await api.issuer.sign({ sub: 'user_1' })}`;
    const client = await EventClient.connect(`${await api.app.nest.getUrl()}${URL}/changes`, { authorization });
    await client.waitFor((block) => block.includes('"draft"'));
    await pay(order.id, 'msg_1');
    await client.waitFor((block) => block.includes('"paid"'));
    const second = await place('A-2');
    await client.waitFor((block) => block.includes(second.id));
    client.disconnect();
    expect(client.data).toEqual([
      { id: order.id, status: 'draft', version: 1 },
      { id: order.id, status: 'paid', version: 2 },
      { id: second.id, status: 'draft', version: 1 },
    ]);
  });

  it('closes old drafts at night, in steps', async () => {
    const paid = await place('paid');
    await pay(paid.id, 'msg_1');
    await api.database.query(`
      INSERT INTO orders (owner_id, number, email, created_at)
      SELECT 'user_' || n % 3, 'old-' || n, 'a@b.example', now() - interval '31 days' FROM generate_series(1, 1100) n`);
    await place('new');
    await api.database.query(`UPDATE orders SET created_at = now() - interval '1 year' WHERE id = $1`, [paid.id]);
    await api.database.query('TRUNCATE jobs.job CASCADE');
    const { nest: app } = api.app;
    await app.get(Database).asSystem('spec', (tx) => app.get(Jobs).send(tx, ordersCloseDrafts, {}));
    expect(await api.runJobs()).toEqual([{ name: 'orders.close-drafts', outcome: 'done' }]);
    const count = 'SELECT status, count(*)::int FROM orders GROUP BY status ORDER BY status';
    expect(await api.database.query(count)).toEqual([
      { status: 'closed', count: 1100 },
      { status: 'draft', count: 1 },
      { status: 'paid', count: 1 },
    ]);
    const uses = `SELECT count(*)::int FROM ops.system_uses WHERE reason = 'orders: close old drafts'`;
    expect(await api.database.query(uses)).toEqual([{ count: 4 }]);
  });

  it('lists the orders of all users for staff only, with a line in the journal', async () => {
    await place('A-1');
    await place('B-1', {}, 'user_2');
    const list = (roles: string[]) => api.request({ as: 'user_3', roles, url: `${URL}/of-all-users` });
    expect((await list([])).statusCode).toBe(403);
    expect((await list(['support'])).json()).toMatchObject([
      { number: 'B-1', ownerId: 'user_2' },
      { number: 'A-1', ownerId: 'user_1' },
    ]);
    expect(await api.database.query('SELECT reason, user_id FROM ops.system_uses')).toEqual([
      { reason: 'support: the newest orders', user_id: 'user_3' },
    ]);
  });

  it('has a rule for each constraint', async () => {
    const rows = await api.database.query<{ name: string }>(
      `SELECT conname AS name FROM pg_constraint WHERE conrelid IN ('orders'::regclass, 'order_items'::regclass) AND contype <> 'n'`,
    );
    expect(Object.keys(declared.orderConstraints).sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  it('has a rule for each column, when a copy of the database is refreshed', async () => {
    const admin = await api.database.admin();
    await admin.query('BEGIN');
    const unfit = findUnclassified({ tables: await readTables(admin), classes: await extended.loadClasses() });
    await admin.query('ROLLBACK');
    expect(unfit).toEqual([]);
  });
});

describe('the migration of docs/beyond-crud.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-beyond-model-'));
  afterAll(() => rm(folder, { recursive: true }));

  it('passes the linter and agrees with its entities', async () => {
    await cp(new globalThis.URL('records', model.folder), join(folder, 'records'), { recursive: true });
    const own = { ...extended, folder: pathToFileURL(`${folder}/`) };
    expect((await lintMigrations(own)).findings).toEqual([]);
    await checkTemplate({ ...own, isWritten: true });
  });
});
