import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';

const HOOKS = fileURLToPath(new URL('../../../tools/typescript.mjs', import.meta.url));
const OWNER = fileURLToPath(new URL('./cluster-owner.fixture.ts', import.meta.url));
/** In a user namespace this process has a user without an entry in /etc/passwd. */
const NAMELESS = ['--user', '--map-user=12345', '--map-group=12345'];
const hasNamespaces = spawnSync('unshare', [...NAMELESS, 'true']).status === 0;
const itWithNamespaces = skipUnless(hasNamespaces, it, 'no user namespaces');

let folder: string;
let owner: ChildProcess | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'airlock-nameless-'));
});
afterAll(() => {
  owner?.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe('a user without an entry in /etc/passwd, as containers run', () => {
  itWithNamespaces('starts the embedded server, and ends it', async () => {
    const options = JSON.stringify({ dataDir: join(folder, 'data'), durable: true });
    const node = [process.execPath, '--import', HOOKS, OWNER, options];
    const started = spawn('unshare', [...NAMELESS, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
    owner = started;
    const [line] = (await once(started.stdout, 'data')) as [Buffer];
    const { port } = JSON.parse(line.toString()) as { port: number };
    expect(await attemptConnection(port)).toBe('connect');
    started.kill();
    await once(started, 'exit');
    await expectRefused(port);
  });

  itWithNamespaces('is told the fix where the system allows no user namespace, and nothing is left behind', () => {
    // The limit applies in the namespace of this process only. It needs a capability to set it.
    const forbid = ['sh', '-c', 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', 'sh'];
    expect(failToStart([...NAMELESS, '--keep-caps', ...forbid])).toContain(
      'embedded PostgreSQL: user 12345 has no entry in /etc/passwd; expected one, because initdb asks for its name\n' +
        "Add one (echo 'app:x:12345:0::/tmp:/bin/sh' >> /etc/passwd), or use your own server: DATABASE_SERVER=external.\n",
    );
  });
});

describe('root', () => {
  itWithNamespaces('is told the fix where it cannot switch to another user, and nothing is left behind', () => {
    // This namespace has no other user.
    expect(failToStart(['--user', '--map-root-user'])).toContain(
      'embedded PostgreSQL: it refuses to run as root and `setpriv` (util-linux) could not change the user.\n' +
        'Run as an ordinary user, or use your own server: DATABASE_SERVER=external.\n',
    );
  });
});

/** @returns what it printed */
function failToStart(unshare: readonly string[]): string {
  const parent = mkdtempSync(join(folder, 'fails-'));
  const options = JSON.stringify({ dataDir: join(parent, 'data'), durable: true });
  const node = [process.execPath, '--import', HOOKS, OWNER, options];
  const { status, stderr } = spawnSync('unshare', [...unshare, ...node], { encoding: 'utf8' });
  expect([status, readdirSync(parent)]).toEqual([1, []]);
  return stderr;
}

/** The result of a connection: `connect`, or the code of its error. */
async function attemptConnection(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve('connect'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    socket.destroy();
  }
}

/** Its watchdog ends the server when the owner has ended. */
async function expectRefused(port: number): Promise<void> {
  for (let look = 0; look < 200 && (await attemptConnection(port)) !== 'ECONNREFUSED'; look++) await sleep(50);
  expect(await attemptConnection(port)).toBe('ECONNREFUSED');
}
