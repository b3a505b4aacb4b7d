import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createOwnedFolder, findFreePort, startGuarded, type GuardedServer } from '@airlock/embedded-postgres';

export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

const COMMANDS = ['redis-server', 'valkey-server'];
/** A limit against hanging: a busy machine may be slow. */
const START_TIMEOUT_MS = 60_000;
const ANSWER_LIMIT_MS = 1000;
const POLL_MS = 5;
const FREE_PORT_ATTEMPTS = 5;

interface Start {
  readonly command: string;
  readonly storageFolder: string;
  readonly port: number;
}

/** Starts the Redis or Valkey on PATH; undefined without one. */
export async function startRedisServer(storageFolder: string): Promise<RedisServer | undefined> {
  const command = await findCommand();
  if (command === undefined) return undefined;
  for (let attempt = 1; attempt <= FREE_PORT_ATTEMPTS; attempt += 1) {
    const started = await startOnPort({ command, storageFolder, port: await findFreePort() });
    if (started) return started;
  }
  throw new Error(`${command}: did not start; expected a response within ${START_TIMEOUT_MS / 1000} s`);
}

/** @returns undefined when it has ended at once, because another process has taken the port meanwhile */
async function startOnPort({ command, storageFolder, port }: Start): Promise<RedisServer | undefined> {
  const folder = createOwnedFolder(storageFolder, 'redis');
  const password = randomBytes(24).toString('hex');
  const settings = join(folder, 'redis.conf');
  // In a private file: every user can read a command line.
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
  if (await isReady(server, { port, password })) return { url: `redis://:${password}@127.0.0.1:${port}/0`, stop };
  await stop();
  return undefined;
}

/** The shell searches the PATH of this process. */
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

async function isReady(server: GuardedServer, login: { port: number; password: string }): Promise<boolean> {
  let hasEnded = false;
  void server.ended.then(() => (hasEnded = true));
  for (const start = Date.now(); !hasEnded && Date.now() - start < START_TIMEOUT_MS; await sleep(POLL_MS)) {
    if (await knowsUs(login)) return true;
  }
  return false;
}

/** Another process that listens on the port does not know the password. */
function knowsUs({ port, password }: { port: number; password: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => socket.write(`AUTH ${password}\r\n`));
    socket.once('data', (reply: Buffer) => {
      resolve(reply.toString().startsWith('+OK'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false)).once('close', () => resolve(false));
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
  });
}
