import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import { isIP, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { root } from './compose-copy.fixture.js';
import { attempt, type Outcome } from './engine.fixture.js';

let folder: string;
/** As on a machine without mkcert, for a user whose files are private by default. */
let makeCerts: () => Outcome;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'certs-'));
  mkdirSync(join(folder, 'bin'));
  for (const tool of ['bash', 'chmod', 'dirname', 'mkdir', 'openssl', 'rm']) {
    const path = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(folder, 'bin', tool));
  }
  cpSync(join(root, 'docker/make-certs'), join(folder, 'docker/make-certs'));
  makeCerts = () =>
    attempt('bash', ['-c', 'umask 077 && exec docker/make-certs'], folder, { PATH: join(folder, 'bin') });
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (file: string) => readFileSync(join(folder, 'docker/certs', file), 'utf8');
const modeOf = (file: string) => (statSync(join(folder, 'docker/certs', file)).mode & 0o777).toString(8);

describe('make certs', () => {
  it('creates a certificate with openssl, and an authority that cannot sign again', () => {
    const { status, output } = makeCerts();
    expect([status, output]).toEqual([0, expect.stringContaining('import docker/certs/authority.pem as an authority')]);
    expect(readdirSync(join(folder, 'docker/certs')).sort()).toEqual([
      'authority.pem',
      'localhost-key.pem',
      'localhost.pem',
    ]);
  });

  it('is readable by the user of Traefik, whatever the umask', () => {
    expect([modeOf('.'), modeOf('localhost.pem'), modeOf('localhost-key.pem')]).toEqual(['755', '644', '644']);
  });

  it.each(['localhost', '127.0.0.1'])('is trusted for %s by clients that trust the authority', async (name) => {
    const pair = { key: read('localhost-key.pem'), cert: read('localhost.pem') };
    const server = createServer(pair, (socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // A client cannot send an address as a server name.
    const servername = isIP(name) ? undefined : name;
    const client = connect({ host: '127.0.0.1', port, servername, ca: read('authority.pem'), minVersion: 'TLSv1.3' });
    try {
      await once(client, 'secureConnect');
      expect(client.authorized).toBe(true);
    } finally {
      client.destroy();
      await once(server.close(), 'close');
    }
  });

  it('keeps a certificate that is valid for a week or more', () => {
    const before = read('localhost.pem');
    const { status, output } = makeCerts();
    expect([status, output]).toEqual([
      0,
      'docker/certs/localhost.pem is valid for a week or more and was not changed.\n',
    ]);
    expect(read('localhost.pem')).toBe(before);
  });
});
