import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Config, type DatabaseAddress, Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { connectClient, withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { createDataSource } from '../connect/data-source.js';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { ask, runAs } from '../provision/provision.fixture.js';
import {
  authentication,
  challenge,
  CLEARTEXT,
  type FakeServer,
  MD5,
  message,
  NOTICE,
  OK,
  READY,
  SASL,
  startFakeServer,
} from './fake-server.fixture.js';

const PASSWORD = `secret-${randomBytes(8).toString('hex')}`;
const servers: FakeServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

type Answer = (socket: Socket, nth: number, chunk: Buffer) => unknown;

async function fake(answer: Answer): Promise<{ server: FakeServer; address: DatabaseAddress }> {
  const server = await startFakeServer(answer);
  servers.push(server);
  return { server, address: createAddress(server.port) };
}

function createAddress(port: number): DatabaseAddress {
  const login = { user: 'airlock_app', password: new Secret(PASSWORD), database: 'airlock_test' };
  return { host: '127.0.0.1', port, sslMode: 'disable', ...login };
}

const context = { config: createSessionConfig('development'), purpose: 'spec' };

function createConfig(port: number): Config {
  const url = `postgres://airlock_app:${PASSWORD}@127.0.0.1:${port}/airlock_test`;
  return loadConfig({ env: { ENVIRONMENT: 'testing', DATABASE_URL: url }, files: false });
}

/** The server sends one chunk in response to each chunk of the client. */
const script =
  (...steps: ((chunk: Buffer) => Buffer)[]): Answer =>
  (socket, nth, chunk) =>
    steps[nth] && socket.write(steps[nth](chunk));
const say = (bytes: Buffer) => () => bytes;

const PROOF = /without proving that it knows the password|does not prove that it knows the password/;

describe('a server that asks for anything other than SCRAM', () => {
  const cases: [string, Answer, RegExp][] = [
    [
      'the password in clear text',
      script(say(CLEARTEXT)),
      /asks for the password in clear text; expected SCRAM-SHA-256/,
    ],
    [
      'the password as an MD5 hash',
      script(say(MD5)),
      /as an MD5 hash; expected .*\n {2}on the server: password_encryption/,
    ],
    ['Kerberos', script(say(authentication(2))), PROOF],
    ['nothing, and reports success', script(say(Buffer.concat([OK, READY]))), PROOF],
    ['nothing at all, and opens the session', script(say(READY)), PROOF],
    ['an MD5 hash after SCRAM has begun', script(say(SASL), say(MD5)), /as an MD5 hash/],
    ['clear text beside SCRAM, in one packet', script(say(Buffer.concat([SASL, CLEARTEXT]))), /in clear text/],
    ['an unknown mechanism of SASL', script(say(authentication(10, 'PLAIN\0\0'))), PROOF],
    ['SCRAM without its proof', script(say(SASL), (c) => challenge(c, 4096), say(Buffer.concat([OK, READY]))), PROOF],
    [
      'SCRAM with a wrong proof',
      script(
        say(SASL),
        (c) => challenge(c, 4096),
        say(Buffer.concat([authentication(12, `v=${'A'.repeat(43)}=`), OK, READY])),
      ),
      PROOF,
    ],
    [
      'SCRAM with one iteration',
      script(say(SASL), (c) => challenge(c, 1)),
      /SCRAM with 1 iterations; expected 4096 to 100000/,
    ],
    ['SCRAM with a billion iterations', script(say(SASL), (c) => challenge(c, 999_999_999)), /expected 4096 to 100000/],
    [
      'SCRAM with iterations that are not a number',
      script(say(SASL), (c) => challenge(c, '4e9')),
      /an unreadable number/,
    ],
  ];

  it.each(cases)('is given no password and no session when it asks for %s', async (_case, answer, words) => {
    const { server, address } = await fake(answer);
    const error = await connectClient(address, context).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: 'ConnectionError', exitCode: 69, message: expect.stringMatching(words) });
    expectNoPassword(server);
  });

  it.each([
    ['clear text', CLEARTEXT],
    ['an MD5 hash', MD5],
    ['no proof', Buffer.concat([OK, READY])],
  ])('is refused by the pool of the application too: %s', async (_case, answer) => {
    const { server } = await fake(script(say(answer)));
    const dataSource = createDataSource(createConfig(server.port), { entities: [] });
    await expect(dataSource.initialize()).rejects.toMatchObject({ name: 'UntrustedServerError', exitCode: 69 });
    expectNoPassword(server);
  });
});

describe('a server that sends invalid messages', () => {
  const flood =
    (chunk: Buffer): Answer =>
    (socket) => {
      const write = () => {
        while (socket.writable && socket.write(chunk));
        socket.once('drain', write);
      };
      write();
    };

  it.each<[string, Answer, RegExp]>([
    ['notices without end', flood(NOTICE), /sends over 1048576 bytes before a session is open/],
    [
      'a message of a gigabyte',
      script(say(message('E', Buffer.from('x'), 2 ** 30))),
      /announces a message of 1073741824/,
    ],
    ['a message of no length', script(say(message('S', Buffer.alloc(0), 0))), /announces a message of 0 bytes/],
    ['an error without an end', script(say(message('E', Buffer.from('M')))), /without an end/],
    ['a notice that ends inside of a field', script(say(message('N', Buffer.from('Mhello\0S')))), /without an end/],
    ['an empty error', script(say(message('E'))), /without an end/],
    ['a row before any question', script(say(message('D', Buffer.from([255, 255])))), /does not answer: /],
    ['half a message, and disconnects', (socket) => socket.end(CLEARTEXT.subarray(0, 6)), /terminated unexpectedly/],
  ])('is refused: %s', async (_case, answer, words) => {
    const { address } = await fake(answer);
    await expect(connectClient(address, context)).rejects.toThrow(words);
  });

  it.each<[string, Answer]>([
    ['nothing', () => undefined],
    ['one byte at a time', (socket) => trickle(socket, Buffer.concat(Array.from({ length: 500 }, () => NOTICE)))],
  ])('is disconnected at the time limit when it sends %s', async (_case, answer) => {
    const { address } = await fake(answer);
    const config = createSessionConfig('development');
    const hasty = { ...config, database: { ...config.database, connectTimeoutMs: 300 } };
    await expect(connectClient(address, { config: hasty, purpose: 'spec' })).rejects.toThrow('timeout expired');
  });
});

describe('PostgreSQL itself', () => {
  let cluster: Cluster;
  let rules = '';
  beforeAll(async () => {
    cluster = await startScratchCluster();
    rules = readFileSync(join(cluster.dataDir, 'pg_hba.conf'), 'utf8');
    await runAs(cluster.superuser, async (admin) => {
      for (const method of ['scram', 'password', 'md5', 'trust']) await admin.query(`CREATE ROLE by_${method} LOGIN`);
      await admin.query(`SET scram_iterations = 4096; ALTER ROLE by_scram PASSWORD '${PASSWORD}'`);
      await admin.query(`ALTER ROLE by_password PASSWORD '${PASSWORD}'`);
      await admin.query(`SET password_encryption = md5; ALTER ROLE by_md5 PASSWORD '${PASSWORD}'`);
      const lines = ['password', 'md5', 'trust'].map((method) => `host all by_${method} 127.0.0.1/32 ${method}`);
      writeFileSync(join(cluster.dataDir, 'pg_hba.conf'), `${lines.join('\n')}\n${rules}`);
      await admin.query(`CREATE ROLE by_another LOGIN PASSWORD 'a-changed-password'`);
      await admin.query('CREATE DATABASE closed');
      await admin.query('REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
      await admin.query('SELECT pg_reload_conf()');
    });
  }, 60_000);
  afterAll(() => cluster.stop());

  const as = (user: string): DatabaseAddress => ({ ...createAddress(cluster.port), user, database: 'postgres' });

  it('accepts a role by SCRAM', async () => {
    expect(await withClient(as('by_scram'), context, (client) => ask(client, 'SELECT current_user'))).toBe('by_scram');
  });

  it.each([
    ['by_password', 'asks for the password in clear text'],
    ['by_md5', 'asks for the password as an MD5 hash'],
    ['by_trust', 'opens a session without proving that it knows the password'],
  ])('is refused for the role %s', async (user, words) => {
    const asked = withClient(as(user), context, (client) => ask(client, 'SELECT 1'));
    await expect(asked).rejects.toThrow(`database: ${user}@127.0.0.1:${cluster.port}/postgres ${words}`);
  });

  it.each([
    ['another password', 'by_another', 'postgres', 'password authentication failed'],
    ['no right to connect', 'by_scram', 'closed', 'permission denied for database'],
  ])('is said to answer when it refuses a role with %s', async (_case, user, database, reason) => {
    const error = await connectClient({ ...as(user), database }, context).catch(String);
    expect(error).toContain(`${cluster.port}/${database} refuses the session: ${reason}`);
    expect(error).not.toContain('make dev');
  });
});

describe('withClient', () => {
  it('ends although the server never closes the connection', async () => {
    const cluster = await startScratchCluster();
    const { startHangingProxy } = await import('./hanging-proxy.fixture.js');
    const proxy = await startHangingProxy(cluster.port);
    try {
      const address = { ...cluster.superuser, port: proxy.port };
      expect(await withClient(address, { ...context, purpose: 'deaf' }, (client) => ask(client, 'SELECT 7'))).toBe(7);
    } finally {
      await proxy.stop();
      await cluster.stop();
    }
  }, 60_000);
});

function trickle(socket: Socket, bytes: Buffer): void {
  let offset = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(offset, (offset += 1))), 1);
  socket.on('close', () => clearInterval(timer));
}

/** The password must appear neither in clear text nor as the hash of the MD5 method. */
function expectNoPassword(server: FakeServer): void {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  expect(server.received().includes(PASSWORD)).toBe(false);
  expect(server.received().includes(md5(`${md5(`${PASSWORD}airlock_app`)}salt`))).toBe(false);
}
