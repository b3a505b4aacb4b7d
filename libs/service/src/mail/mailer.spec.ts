import { createServer, type Server, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Config, type Environment, Secret } from '@airlock/config';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { SMTPServerOptions } from 'smtp-server';
import { createCertificate, TestMailServer } from '../testing/mail-server.fixture.js';
import { createOutside } from '../testing/outside.fixture.js';
import { html } from './html.js';
import type { MailError } from './mail-error.js';
import { type Mail, Mailer } from './mailer.js';

type Address = NonNullable<Config['mail']['server']>;

const PASSWORD = 'k3v0qXzR8bYt5LwN';
const mail: Mail = {
  name: 'order-placed',
  subject: 'Your order',
  text: 'Hello Ada <3\n.\nA line of its own',
  html: html`<p>Hello ${'Ada <3'}</p>`,
};
const message = { key: 'order-1', to: 'ada@example.com', mail };
const certificate = createCertificate();
const trusted = getCACertificates('default');

let server: TestMailServer;
afterEach(() => server.stop());

function open(
  choices: Partial<Address> = {},
  { hosts = ['*'], environment = 'production' }: { hosts?: string[]; environment?: Environment } = {},
) {
  const address: Address = {
    ...{ host: '127.0.0.1', port: server.port, user: '', password: new Secret(''), tls: 'starttls', isCatcher: false },
    ...choices,
  };
  const outside = createOutside(environment, { hosts });
  const options = { outbound: outside.outbound, mail: { server: address, from: 'no-reply@example.org' } };
  return { ...outside, mailer: new Mailer({ ...options, timeLimitMs: 2_000 }) };
}

function fail(responseCode: number): Error {
  return Object.assign(new Error('ada@example.com is not wanted'), { responseCode });
}

describe('a mail server with TLS', () => {
  beforeAll(() => setDefaultCACertificates([...trusted, certificate.cert]));
  afterAll(() => setDefaultCACertificates(trusted));

  it.each([
    ['starttls', { ...certificate }],
    ['implicit', { ...certificate, secure: true }],
  ] as const)('gets both parts, encrypted by %s', async (tls, options) => {
    server = await TestMailServer.start(options);
    const { mailer, lines, departures } = open({ tls });
    expect(await mailer.deliver({ ...message, replyTo: 'help@example.org' })).toBe('sent');
    const [received] = server.received;
    expect(received).toMatchObject({ from: 'no-reply@example.org', to: ['ada@example.com'], isSecure: true });
    expect(received?.raw).toContain('Subject: Your order\r\n');
    expect(received?.raw).toContain('Reply-To: help@example.org\r\n');
    expect(received?.raw).toContain('Auto-Submitted: auto-generated\r\n');
    expect(received?.raw).toMatch(
      /Content-Type: text\/plain.*Hello Ada <3\r\n\.\r\nA line of its own.*Content-Type: text\/html/s,
    );
    expect(received?.raw.replaceAll('=\r\n', '')).toContain('<p>Hello Ada &lt;3</p>');
    expect(departures).toMatchObject([{ peer: 'mail', outcome: 'sent' }]);
    expect(JSON.stringify(lines)).not.toContain('ada@');
  });

  it('gets the same Message-ID for the same key, and another for another key or environment', async () => {
    server = await TestMailServer.start(certificate);
    const { mailer } = open();
    for (const key of ['order-1', 'order-1', 'order-2']) await mailer.deliver({ ...message, key });
    await open({}, { environment: 'staging' }).mailer.deliver(message);
    const [first, again, ...others] = server.received.map(
      ({ raw }) => /^Message-ID: (<.+@example\.org>)\r$/m.exec(raw)?.[1],
    );
    expect(first).toBe(again);
    expect(new Set([first, ...others]).size).toBe(3);
  });

  it('gets the user and the password, and a wrong one is not the fault of the mail', async () => {
    const options: SMTPServerOptions = {
      ...certificate,
      authOptional: false,
      onAuth: ({ username, password }, _, done) =>
        password === PASSWORD ? done(null, { user: username }) : done(fail(535)),
    };
    server = await TestMailServer.start(options);
    await open({ user: 'airlock', password: new Secret(PASSWORD) }).mailer.deliver(message);
    expect(server.received).toMatchObject([{ user: 'airlock' }]);
    const wrong = open({ user: 'airlock', password: new Secret('wrong-wrong') });
    const error = await wrong.mailer.deliver(message).catch((caught: MailError) => caught);
    expect(error).toMatchObject({ name: 'MailError', isPermanent: false, code: 'EAUTH', responseCode: 535 });
    expect(JSON.stringify([String(error), wrong.lines])).not.toContain('wrong-wrong');
  });

  it.each([
    [
      'a recipient for now',
      { onRcptTo: (_: unknown, __: unknown, done: (error: Error) => void) => done(fail(450)) },
      false,
      450,
    ],
    [
      'a recipient, permanently',
      { onRcptTo: (_: unknown, __: unknown, done: (error: Error) => void) => done(fail(550)) },
      true,
      550,
    ],
    [
      'the content',
      {
        onData: (stream: NodeJS.ReadableStream, _: unknown, done: (error: Error) => void) =>
          void stream.resume().on('end', () => done(fail(554))),
      },
      true,
      554,
    ],
  ])('that refuses %s says whether to retry', async (_, options, isPermanent, responseCode) => {
    server = await TestMailServer.start({ ...certificate, ...options });
    const { mailer, lines, departures } = open();
    const error = await mailer.deliver(message).catch((caught: MailError) => caught);
    expect(error).toMatchObject({ name: 'MailError', isPermanent, responseCode });
    expect(JSON.stringify([String(error), lines])).not.toContain('ada@');
    expect(departures).toMatchObject([{ outcome: 'error' }]);
  });

  it('that first defers a recipient accepts the mail later, once', async () => {
    let count = 0;
    server = await TestMailServer.start({
      ...certificate,
      onRcptTo: (_, __, done) => ((count += 1) === 1 ? done(fail(451)) : done()),
    });
    const { mailer } = open();
    await expect(mailer.deliver(message)).rejects.toMatchObject({ isPermanent: false });
    expect(await mailer.deliver(message)).toBe('sent');
    expect(server.received).toHaveLength(1);
  });
});

describe('a mail server that cannot be trusted', () => {
  it('gets nothing if its certificate is unknown', async () => {
    server = await TestMailServer.start(certificate);
    await expect(open().mailer.deliver(message)).rejects.toMatchObject({ isPermanent: false });
    expect(server.received).toEqual([]);
  });

  it('gets nothing, and no password, if it does not offer TLS', async () => {
    let credentials = 0;
    const onAuth: SMTPServerOptions['onAuth'] = (_, __, done) => ((credentials += 1), done(null, { user: 'x' }));
    server = await TestMailServer.start({
      ...certificate,
      hideSTARTTLS: true,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth,
    });
    const opened = open({ user: 'airlock', password: new Secret(PASSWORD) });
    await expect(opened.mailer.deliver(message)).rejects.toMatchObject({ isPermanent: false });
    expect([credentials, server.received]).toEqual([0, []]);
  });
});

describe('a slow mail server', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['never greets', () => undefined],
    ['never ends its response', (socket) => drip(socket)],
  ])('that %s times out, and its connection closed', async (_, serve) => {
    server = await TestMailServer.start(certificate);
    const sockets: Socket[] = [];
    const slow: Server = createServer(
      (socket) => void (sockets.push(socket.on('error', () => undefined)), serve(socket)),
    );
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const { port } = slow.address() as { port: number };
    await expect(open({ port }).mailer.deliver(message)).rejects.toMatchObject({
      isPermanent: false,
      code: 'ETIMEDOUT',
    });
    // Resolves only when the connection has ended.
    await new Promise((resolve) => slow.close(resolve));
    expect(sockets).toHaveLength(1);
  });

  it('is unreachable without a listener', async () => {
    server = await TestMailServer.start(certificate);
    const { mailer } = open();
    await server.stop();
    await expect(mailer.deliver(message)).rejects.toMatchObject({ isPermanent: false });
  });
});

describe('whom mail may reach', () => {
  beforeAll(() => setDefaultCACertificates([...trusted, certificate.cert]));
  afterAll(() => setDefaultCACertificates(trusted));

  it('is judged by the domain of the recipient', async () => {
    server = await TestMailServer.start(certificate);
    const { mailer, outbound, lines } = open({}, { environment: 'staging', hosts: ['example.com'] });
    expect(await mailer.deliver(message)).toBe('sent');
    for (const to of ['eve@sub.example.com', 'eve@example.com.evil.test', 'eve@evil.test'])
      expect(await mailer.deliver({ ...message, to })).toBe('kept');
    expect(server.received.map(({ to }) => to)).toEqual([['ada@example.com']]);
    expect(lines.filter((line) => 'is_sent' in line)).toHaveLength(3);
    expect(JSON.stringify([lines, outbound.kept])).not.toContain('eve@');
  });

  it('is everyone at a mail catcher, which sends nothing', async () => {
    server = await TestMailServer.start({ ...certificate, disabledCommands: ['STARTTLS'] });
    const { mailer } = open({ tls: 'none', isCatcher: true }, { environment: 'preview', hosts: [] });
    expect(await mailer.deliver(message)).toBe('caught');
    expect(server.received).toHaveLength(1);
  });

  it('ends in memory without a server: a test reads the mail', async () => {
    server = await TestMailServer.start(certificate);
    const { outbound } = createOutside('testing');
    const mailer = new Mailer({ outbound, mail: { server: undefined, from: 'no-reply@localhost' } });
    expect(await mailer.deliver({ ...message, mail: { ...mail, subject: 'a\r\nBcc: eve@evil.test' } })).toBe('kept');
    expect(outbound.kept).toMatchObject([
      { kind: 'mail', name: 'order-placed', to: 'ada@example.com', subject: 'a Bcc: eve@evil.test' },
    ]);
  });

  it('must be known: production does not start without a server', async () => {
    server = await TestMailServer.start(certificate);
    const { outbound } = createOutside('production', { hosts: ['*'] });
    const start = () => new Mailer({ outbound, mail: { server: undefined, from: 'no-reply@example.org' } });
    expect(start).toThrow('SMTP_URL: is not set, but this program sends mail in production');
  });
});

describe('a hostile value', () => {
  it.each([
    'ada@example.com, eve@evil.test',
    'ada@example.com\r\nBcc: eve@evil.test',
    'ada@example.com>\r\nRCPT TO:<eve@evil.test',
    '"a b"@example.com',
    'Ada <ada@example.com>',
    'ada@exam ple.com',
    'ada@',
    '@example.com',
    'ada@example.com@evil.test',
  ])('is refused as the address %j', async (to) => {
    server = await TestMailServer.start(certificate);
    const { mailer } = open();
    await expect(mailer.deliver({ ...message, to })).rejects.toThrow('mail: to is not one mail address');
    await expect(mailer.deliver({ ...message, replyTo: to })).rejects.toThrow('mail: replyTo is not one mail address');
    expect(server.received).toEqual([]);
  });
});

function drip(socket: Socket): void {
  socket.write('220 ready\r\n');
  const timer = setInterval(() => socket.write('250-slow\r\n'), 50);
  socket.on('close', () => clearInterval(timer));
}
