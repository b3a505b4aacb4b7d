import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SYSTEM_ENVIRONMENT } from './system-environment.js';

/**
 * The watchdog locks this file before it starts a server, and the server inherits the lock. It is held as long as any
 * process of the server lives, even where pids are ambiguous, as in a container. No lock outlives its holders.
 */
export function nameLockFile(dataDir: string): string {
  return join(dataDir, 'airlock.lock');
}

/** Exit code of the watchdog when another process holds the lock. */
export const LOCKED_EXIT_CODE = 75;

let isInstalled: boolean | undefined;

/** False on macOS, which has no `flock`, and no containers that would need it. */
export function hasLocks(): boolean {
  isInstalled ??= run('--version') === 0;
  return isInstalled;
}

export function isLocked(dataDir: string): boolean {
  const file = nameLockFile(dataDir);
  return existsSync(file) && hasLocks() && run('--nonblock', '--shared', file, 'true') !== 0;
}

/** The processes that have the lock file open, as far as the system shows them. Each keeps the lock until it ends. */
export function findLockHolders(dataDir: string): number[] {
  const file = statSync(nameLockFile(dataDir), { throwIfNoEntry: false });
  if (!file || process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => {
        const { dev, ino } = statSync(`/proc/${pid}/fd/${fd}`);
        return dev === file.dev && ino === file.ino;
      });
    } catch {
      return false;
    }
  });
}

function run(...args: string[]): number | null {
  return spawnSync('flock', args, { stdio: 'ignore', env: SYSTEM_ENVIRONMENT }).status;
}
