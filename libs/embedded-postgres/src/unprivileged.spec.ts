import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const HOOKS = fileURLToPath(new URL('../../../tools/typescript.mjs', import.meta.url));
const OWNER = fileURLToPath(new URL('./cluster-owner.fixture.ts', import.meta.url));
/** In a user namespace this process has a user without an entry in /etc/passwd. */
const NAMELESS = ['--user', '--map-user=12345', '--map-group=12345'];
const itWithNamespaces = spawnSync('unshare', [...NAMELESS, 'true']).status === 0 ? it : it.skip;

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
});

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
