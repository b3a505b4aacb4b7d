import { Secret } from '@airlock/config';
import { AppConfig } from '@airlock/config/nest';
import { withHeldPort } from '@airlock/config/testing';
import { model } from '@airlock/model';
import { Database } from '@airlock/service';
import { job, Jobs } from '@airlock/service/jobs';
import { html, type Mail, Mailer, MailModule } from '@airlock/service/mail';
import { describeProduct } from '@airlock/service/product';
import { TestMailServer, useTestApp, useTestJobs } from '@airlock/service/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as zod from 'zod';
import { api as definition } from '../api.js';
import { readCode, runCode } from '../testing/page-code.fixture.js';

const [code = '', ...others] = readCode('mail.md');
const { mailPlacedOrder, orderPlaced } = runCode(code, {
  '@airlock/service/jobs': { job },
  '@airlock/service/mail': { html, Mailer },
  zod,
}) as {
  mailPlacedOrder: ReturnType<typeof job>;
  orderPlaced: (order: object) => Mail;
};
const product = { ...definition, ...describeProduct(model, [mailPlacedOrder], [MailModule]) };
const order = { id: '7', email: 'ada@example.com', name: 'Ada <3', url: 'https://shop.example/orders/7?a=1&b=2' };
type App = ReturnType<typeof useTestApp>;

const send = (api: App) => {
  const [database, jobs] = [api.app.nest.get(Database), api.app.nest.get(Jobs)];
  return database.asUser('user_1', (tx) => jobs.send(tx, mailPlacedOrder, order, { key: order.id }));
};
const withCatcher = (port: () => number) =>
  useTestApp(product, {
    configure: (config) => {
      const catcher = { host: '127.0.0.1', port: port(), user: '', password: new Secret(''), isCatcher: true };
      return { ...config, mail: { ...config.mail, server: { ...catcher, tls: 'none' } } };
    },
  });

describe('docs/mail.md', () => {
  const api = useTestApp(product);

  it('has one block', () => expect(others).toEqual([]));

  it('sends nothing in a test, which reads both parts', async () => {
    await send(api);
    await send(api);
    expect(api.kept).toEqual([]);
    expect(await api.runJobs()).toEqual([{ name: 'orders.mail-placed', outcome: 'done' }]);
    expect(api.kept).toEqual([
      {
        ...{ kind: 'mail', name: 'order-placed', to: 'ada@example.com', subject: 'Your order, Ada <3' },
        text: 'Hello Ada <3\n\nYour order: https://shop.example/orders/7?a=1&b=2\n',
        html: expect.stringMatching(/<p>Hello Ada &lt;3<\/p>.*href="https:\/\/shop\.example\/orders\/7\?a=1&amp;b=2"/s),
      },
    ]);
    const line = api.lines.find(({ event }) => event === 'outbound.kept');
    expect(line).toMatchObject({ name: 'order-placed', is_sent: false, job: 'orders.mail-placed' });
  });

  it('has only the mail of the current test', () => expect(api.kept).toEqual([]));

  it('escapes in HTML only', () => {
    const { text, html: part } = orderPlaced(order);
    expect([text.includes('Ada <3'), part.toString().includes('Ada &lt;3')]).toEqual([true, true]);
  });
});

describe('a spec of jobs without an API', () => {
  const readSender = job({
    name: 'spec.read-sender',
    data: zod.strictObject({}),
    run: ({ get, logger }) => Promise.resolve(logger.info({ sender: get(AppConfig).mail.from }, 'sender.read')),
  });
  const world = useTestJobs({ ...product, jobs: [mailPlacedOrder, readSender] });

  it('reads the mail', async () => {
    await world.database.asUser('user_1', (tx) => world.sender.send(tx, mailPlacedOrder, order));
    expect(await world.run()).toEqual([{ name: 'orders.mail-placed', outcome: 'done' }]);
    expect(world.kept).toMatchObject([{ to: 'ada@example.com', subject: 'Your order, Ada <3' }]);
  });

  it('runs a job that reads the config', async () => {
    await world.database.asUser('user_1', (tx) => world.sender.send(tx, readSender, {}));
    expect(await world.run()).toEqual([{ name: 'spec.read-sender', outcome: 'done' }]);
    expect(world.lines).toContainEqual(
      expect.objectContaining({ event: 'sender.read', sender: world.config.mail.from }),
    );
  });
});

describe('a mail of a job', () => {
  /** The responses of the server to the next recipients; it accepts those after them. */
  let refusals: number[] = [];
  let server: TestMailServer;
  beforeAll(async () => {
    server = await TestMailServer.start({
      disabledCommands: ['AUTH', 'STARTTLS'],
      onRcptTo: (_, __, done) => {
        const responseCode = refusals.shift();
        done(responseCode === undefined ? null : Object.assign(new Error('ada@example.com'), { responseCode }));
      },
    });
  });
  const api = withCatcher(() => server.port);
  beforeEach(() => {
    refusals = [];
    server.received.length = 0;
  });
  afterAll(() => server.stop());
  const run = async () => {
    const runs = await api.runJobs();
    await api.database.query(`UPDATE jobs.job SET start_after = now() WHERE state = 'retry'`);
    return runs.map(({ outcome }) => outcome);
  };
  const states = () => api.database.query(`SELECT name, state FROM jobs.job ORDER BY name`);

  it('is shown by the mail catcher', async () => {
    await send(api);
    expect(await run()).toEqual(['done']);
    expect(server.received.map(({ to }) => to)).toEqual([['ada@example.com']]);
    expect(api.kept).toEqual([]);
  });

  it('is sent again after a refusal that is not permanent', async () => {
    refusals = [450, 421];
    await send(api);
    expect([await run(), await run(), await run(), await run()]).toEqual([['failed'], ['failed'], ['done'], []]);
    expect(server.received).toHaveLength(1);
  });

  it('is a dead letter at once after a permanent refusal, and its recipient is not in the log', async () => {
    refusals = [550];
    await send(api);
    expect([await run(), await run()]).toEqual([['dead'], []]);
    expect(await states()).toEqual([
      { name: 'dead-letters', state: 'created' },
      { name: 'orders.mail-placed', state: 'failed' },
    ]);
    const line = api.lines.find(({ event }) => event === 'job.dead');
    expect(line).toMatchObject({ error: { type: 'MailError' }, job: 'orders.mail-placed' });
    expect(JSON.stringify(api.lines)).not.toContain('ada@example.com');
    expect(server.received).toEqual([]);
  });
});

describe('a mail catcher that does not run', () => {
  const api = useTestApp(product, {
    configure: (config) =>
      withHeldPort((port) => {
        const catcher = { host: '127.0.0.1', port, user: '', password: new Secret(''), tls: 'none', isCatcher: true };
        return Promise.resolve({ ...config, mail: { ...config.mail, server: catcher } } as typeof config);
      }),
  });

  it('fails the job, which is repeated', async () => {
    await send(api);
    expect(await api.runJobs()).toEqual([{ name: 'orders.mail-placed', outcome: 'failed' }]);
    expect(api.kept).toEqual([]);
    expect(await api.database.query('SELECT state FROM jobs.job')).toEqual([{ state: 'retry' }]);
  });
});
