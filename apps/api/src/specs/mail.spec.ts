import { Secret } from '@airlock/config';
import { withHeldPort } from '@airlock/config/testing';
import { html, type Mail, MailError, Mailer, MailModule } from '@airlock/service';
import { describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import { readCode, runCode } from '../testing/page-code.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const [code = '', ...others] = readCode('mail.md');
const { OrderMails, OrderMailsModule, orderPlaced } = runCode(code, {
  '@airlock/service': { html, Mailer, MailModule },
  '@nestjs/common': nest,
}) as {
  OrderMails: nest.Type<{ sendPlaced: (order: object) => Promise<void> }>;
  OrderMailsModule: nest.Type;
  orderPlaced: (order: object) => Mail;
};

describe('docs/mail.md', () => {
  const api = useTestApi({ imports: [{ module: OrderMailsModule }] });
  const order = { id: '7', email: 'ada@example.com', name: 'Ada <3', url: 'https://shop.example/orders/7?a=1&b=2' };

  it('has one block', () => expect(others).toEqual([]));

  it('sends nothing in a test, which reads both parts', async () => {
    await api.app.nest.get(OrderMails).sendPlaced(order);
    expect(api.kept).toEqual([
      {
        ...{ kind: 'mail', name: 'order-placed', to: 'ada@example.com', subject: 'Your order, Ada <3' },
        text: 'Hello Ada <3\n\nYour order: https://shop.example/orders/7?a=1&b=2\n',
        html: expect.stringMatching(/<p>Hello Ada &lt;3<\/p>.*href="https:\/\/shop\.example\/orders\/7\?a=1&amp;b=2"/s),
      },
    ]);
    const line = api.lines.find(({ event }) => event === 'outbound.kept');
    expect(line).toMatchObject({ name: 'order-placed', is_sent: false });
  });

  it('has only the mail of the current test', () => expect(api.kept).toEqual([]));

  it('escapes in HTML only', () => {
    const { text, html: part } = orderPlaced(order);
    expect([text.includes('Ada <3'), part.toString().includes('Ada &lt;3')]).toEqual([true, true]);
  });
});

describe('a mail catcher that does not run', () => {
  const api = useTestApi({
    imports: [{ module: OrderMailsModule }],
    configure: (config) =>
      withHeldPort((port) => {
        const catcher = { host: '127.0.0.1', port, user: '', password: new Secret(''), tls: 'none', isCatcher: true };
        return Promise.resolve({ ...config, mail: { ...config.mail, server: catcher } } as typeof config);
      }),
  });

  it('fails the delivery, which can be tried again', async () => {
    const order = { id: '7', email: 'ada@example.com', name: 'Ada', url: 'https://shop.example/orders/7' };
    const error = await api.app.nest
      .get(OrderMails)
      .sendPlaced(order)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(MailError);
    expect(error).toMatchObject({ isPermanent: false });
    expect(api.kept).toEqual([]);
  });
});
