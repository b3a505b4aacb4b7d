import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ENVIRONMENTS, type Environment } from '@airlock/config';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createCertificate, TestMailServer } from '../testing/mail-server.fixture.js';
import { MAIL_HOST, OUTSIDE, RecordingServer } from '../testing/outside.fixture.js';

const run = promisify(execFile);
const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Real processes of each environment, and real servers on addresses that stand for hosts outside. */
describe('planted sends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-outside-'));
  const authority = join(folder, 'authority.pem');
  let http: RecordingServer;
  let mail: TestMailServer;
  let raw: Server;
  let texts: string[];
  beforeAll(async () => {
    const certificate = createCertificate();
    writeFileSync(authority, certificate.cert);
    http = await RecordingServer.start(OUTSIDE);
    mail = await TestMailServer.start({ ...certificate }, MAIL_HOST);
    raw = createServer((socket) => void socket.on('data', (data: Buffer) => void texts.push(data.toString())));
    await new Promise<void>((resolve) => raw.listen(0, OUTSIDE, resolve));
  });
  beforeEach(() => {
    http.reset();
    http.statuses = Array.from({ length: 20 }, () => 200);
    mail.received.length = 0;
    texts = [];
  });
  afterAll(async () => {
    await Promise.all([http.stop(), mail.stop(), new Promise((resolve) => raw.close(resolve))]);
    rmSync(folder, { recursive: true });
  });

  const plant = async (environment: Environment, ...hosts: string[]) => {
    const ports = [http.port, mail.port, (raw.address() as { port: number }).port].map(String);
    const args = ['--import', pathOf('../../../../tools/typescript.mjs'), pathOf('planted-sends.fixture.ts')];
    const { stdout } = await run(process.execPath, [...args, environment, ...ports, ...hosts], {
      env: { NODE_EXTRA_CA_CERTS: authority },
    });
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { event?: string; outcomes?: object });
    return { outcomes: lines.find(({ outcomes }) => outcomes)?.outcomes, events: lines.map(({ event }) => event) };
  };
  const arrived = () => ({
    http: http.seen.map(({ url }) => url),
    mail: mail.received.map(({ raw: text }) => /^Subject: (.*)\r$/m.exec(text)?.[1]),
    raw: texts,
  });

  it('of production arrive, each exactly once', async () => {
    const { outcomes } = await plant('production');
    const all = ['mailer', 'nodemailer', 'peer', 'own', 'fetch', 'undici', 'socket'];
    expect(outcomes).toEqual(Object.fromEntries(all.map((name) => [name, 'sent'])));
    expect(arrived()).toEqual({
      http: ['/peer', '/own', '/fetch', '/undici'],
      mail: ['mailer', 'nodemailer'],
      raw: ['socket'],
    });
  });

  it.each(ENVIRONMENTS.filter((name) => name !== 'production'))(
    'of %s reach no host, and the log has them',
    async (environment) => {
      const { outcomes, events } = await plant(environment);
      expect(arrived()).toEqual({ http: [], mail: [], raw: [] });
      // The ports keep what they do not send; the guard refuses what goes past them.
      expect(outcomes).toEqual({
        ...{ mailer: 'kept', peer: 'NotSentError' },
        ...{ nodemailer: 'ConnectionRefusal', own: 'ConnectionRefusal', fetch: 'ConnectionRefusal' },
        ...{ undici: 'ConnectionRefusal', socket: 'ConnectionRefusal' },
      });
      const count = (name: string) => events.filter((event) => event === name).length;
      expect([count('outbound.kept'), count('outbound.refused') > 4]).toEqual([2, true]);
    },
  );

  it.each(['preview', 'staging'] as const)('of %s reach those that are listed', async (environment) => {
    const listed = await plant(environment, 'example.com');
    expect(listed.outcomes).toMatchObject({ mailer: 'sent', nodemailer: 'ConnectionRefusal', peer: 'NotSentError' });
    expect(arrived()).toEqual({ http: [], mail: ['mailer'], raw: [] });
    expect((await plant(environment, OUTSIDE)).outcomes).toMatchObject({ mailer: 'kept', peer: 'sent', fetch: 'sent' });
    expect(mail.received).toHaveLength(1);
  });
});
