import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadBinaries } from './binaries.js';
import { findFreePort } from './port.js';
import { readPostmaster } from './run-file.js';
import { SYSTEM_ENVIRONMENT } from './system-environment.js';
import { chooseIdentity, chooseInitdbPrefix, changeOwner } from './unprivileged.js';

const POLL_MS = 20;

/** Creates a data folder as any other program would, without our mark. */
export async function initialiseForeign(dataDir: string): Promise<void> {
  const { initdb } = await loadBinaries();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  changeOwner(chooseIdentity(), dataDir);
  const [command = '', ...args] = [...chooseInitdbPrefix(), initdb, '-D', dataDir, '--no-sync', '-U', 'postgres'];
  execFileSync(command, args, { env: SYSTEM_ENVIRONMENT, cwd: dirname(dataDir), stdio: 'ignore' });
}

/** A PostgreSQL that was started by hand. */
export class ForeignServer {
  readonly #child: ChildProcess;

  private constructor(
    readonly dataDir: string,
    readonly port: number,
    child: ChildProcess,
  ) {
    this.#child = child;
  }

  static async start(dataDir: string): Promise<ForeignServer> {
    const { postgres } = await loadBinaries();
    const port = await findFreePort();
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
    const options = [...settings, 'dynamic_shared_memory_type=mmap'].flatMap((setting) => ['-c', setting]);
    const [command = '', ...args] = [...chooseIdentity().prefix, postgres, '-D', dataDir, ...options];
    const child = spawn(command, args, { env: SYSTEM_ENVIRONMENT, cwd: dataDir, stdio: 'ignore' });
    // Until then it reads its settings by the folder's path, which a test may change.
    while (child.exitCode === null && !readPostmaster(dataDir)?.isReady) await sleep(POLL_MS);
    return new ForeignServer(dataDir, port, child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    if (!this.isAlive) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}

/** Owner, mode and inode of the folder and of each entry in it. */
export function describeFolder(folder: string): string[] {
  return ['.', ...readdirSync(folder).sort()].map((name) => {
    const { uid, gid, mode, ino } = lstatSync(join(folder, name));
    return `${name} ${uid}:${gid} ${mode.toString(8)} ${ino}`;
  });
}
