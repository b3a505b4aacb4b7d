import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { nameOwnedFolder } from '../../embedded/leftovers.js';
import { findFreePort } from '../../embedded/port.js';
import { startGuarded } from '../../embedded/watchdog.js';

export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

const COMMANDS = ['redis-server', 'valkey-server'];
const START_TIMEOUT_MS = 5000;
const POLL_MS = 5;

/** Starts the Redis or Valkey that is on PATH; undefined where there is none. */
export async function startRedisServer(storageFolder: string): Promise<RedisServer | undefined> {
  const command = await findCommand();
  if (command === undefined) return undefined;
  const folder = join(storageFolder, nameOwnedFolder('redis'));
  mkdirSync(folder, { mode: 0o700 });
  const port = await findFreePort();
  const password = randomBytes(24).toString('hex');
  const settings = join(folder, 'redis.conf');
  // In a file of ours: a command line is for all to read.
  writeFileSync(settings, renderSettings({ port, password, folder }), { mode: 0o600 });
  const server = startGuarded({
    command: [command, settings],
    cwd: folder,
    logFile: join(folder, 'log'),
    stopSignal: 'TERM',
    removeFolder: folder,
  });
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  if (await answers(port)) return { url: `redis://:${password}@127.0.0.1:${port}/0`, stop };
  await stop();
  throw new Error(`${command}: does not answer on port ${port}; expected within ${START_TIMEOUT_MS / 1000} s`);
}

/** The shell looks along the PATH that this process was given. */
async function findCommand(): Promise<string | undefined> {
  for (const command of COMMANDS) {
    const found = await promisify(execFile)('/bin/sh', ['-c', `command -v ${command}`]).catch(() => undefined);
    if (found) return found.stdout.trim();
  }
  return undefined;
}

function renderSettings({ port, password, folder }: { port: number; password: string; folder: string }): string {
  const settings = {
    port: `${port}`,
    bind: '127.0.0.1',
    requirepass: password,
    dir: JSON.stringify(folder),
    save: '""',
    appendonly: 'no',
    databases: '256',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

async function answers(port: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return true;
    await sleep(POLL_MS);
  }
  return false;
}
