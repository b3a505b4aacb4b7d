import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { SYSTEM_ENVIRONMENT } from './system-environment.js';

const SCRIPT = fileURLToPath(new URL('./watchdog.sh', import.meta.url));

export interface GuardedServer {
  /** With a `lockFile`: whether we hold it. The server waits for `begin` or `stop`. */
  readonly locked: Promise<boolean>;
  begin(): void;
  /** Resolves to the exit code when the server has ended and its folder has been removed, if that was requested. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

export interface GuardedCommand {
  command: readonly string[];
  cwd: string;
  logFile: string;
  /** Locked before the command starts, and held until its last process has ended. */
  lockFile?: string | undefined;
  stopSignal: 'INT' | 'QUIT' | 'TERM';
  /** Removed after the server has ended, also when its owner was killed. */
  removeFolder?: string | undefined;
  /** Keeps this process from exiting while the command runs. */
  isAwaited?: boolean;
}

/**
 * Starts a server that ends with this process, however this process ends. A shell in a separate session holds the other
 * end of a pipe to us, and the system closes our end even after a SIGKILL.
 */
export function startGuarded({
  command,
  cwd,
  logFile,
  stopSignal,
  lockFile = '',
  removeFolder = '',
  isAwaited,
}: GuardedCommand): GuardedServer {
  // Appended to: until we hold the lock, another server may be writing the log.
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn('/bin/sh', [SCRIPT, stopSignal, removeFolder, lockFile, ...command], {
    cwd,
    detached: true,
    env: SYSTEM_ENVIRONMENT,
    stdio: ['pipe', log, log, 'pipe'],
  });
  closeSync(log);
  const ended = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  // With stdio 'pipe' it is a socket, although the type differs.
  const leash = child.stdin as Socket;
  // The shell may end first; then the message has no receiver.
  leash.on('error', () => undefined);
  leash.unref();
  const answer = child.stdio[3] as Socket;
  answer.on('error', () => undefined);
  const locked = new Promise<boolean>((resolve) => {
    answer.once('data', () => resolve(true));
    void ended.then(() => resolve(false)).catch(() => resolve(false));
  });
  if (!lockFile) answer.unref();
  if (!isAwaited && !lockFile) child.unref();
  return {
    locked,
    begin() {
      leash.write('begin\n');
      answer.destroy();
      child.unref();
    },
    ended,
    async stop() {
      child.ref();
      leash.end();
      await ended;
    },
  };
}
