import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { SYSTEM_ENVIRONMENT } from './system-environment.js';

const SCRIPT = fileURLToPath(new URL('./watchdog.sh', import.meta.url));

export interface GuardedServer {
  /** Resolves to the exit code when the server has ended and its folder, if it was to be, is removed. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

export interface GuardedCommand {
  command: readonly string[];
  cwd: string;
  logFile: string;
  stopSignal: 'INT' | 'QUIT' | 'TERM';
  /** Removed after the server has ended, also when its owner was killed. */
  removeFolder?: string | undefined;
  /** Keeps this process from exiting while the command runs. */
  isAwaited?: boolean;
}

/**
 * Starts a server that ends with this process, however this process ends: a shell in a session of its own holds the
 * other end of a pipe to us, and the system closes ours even after a SIGKILL.
 */
export function startGuarded({
  command,
  cwd,
  logFile,
  stopSignal,
  removeFolder = '',
  isAwaited,
}: GuardedCommand): GuardedServer {
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn('/bin/sh', [SCRIPT, stopSignal, removeFolder, ...command], {
    cwd,
    detached: true,
    env: SYSTEM_ENVIRONMENT,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const ended = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  // With stdio 'pipe' it is a socket, whatever the type says.
  const leash = child.stdin as Socket;
  // The shell may end first: then there is nobody left to tell.
  leash.on('error', () => undefined);
  leash.unref();
  if (!isAwaited) child.unref();
  return {
    ended,
    async stop() {
      child.ref();
      leash.end();
      await ended;
    },
  };
}
