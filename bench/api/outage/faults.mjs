// The faults, and how each ends.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * `begin` causes a fault and waits for its duration. `end` ends the fault and resolves when the server responds again.
 */
export function createFaults(world, redis) {
  const startDatabase = () => world.startDatabase();
  return {
    'PostgreSQL stopped': {
      begin: (ms) => Promise.all([world.cluster.stop(), sleep(ms)]),
      end: startDatabase,
    },
    'PostgreSQL paused': {
      begin: async (ms) => {
        signalDatabase(world.cluster, 'SIGSTOP');
        await sleep(ms);
      },
      end: async () => signalDatabase(world.cluster, 'SIGCONT'),
    },
    'PostgreSQL restarted': { begin: () => world.cluster.stop(), end: startDatabase },
    'Redis killed': { begin: (ms) => Promise.all([redis.stop(), sleep(ms)]), end: () => redis.start() },
    'Redis paused': {
      begin: async (ms) => {
        redis.signal('SIGSTOP');
        await sleep(ms);
      },
      end: async () => void redis.signal('SIGCONT'),
    },
  };
}

/**
 * Signals the server and all its sessions, like a machine that hangs. Signalling only one would leave the other
 * running.
 */
function signalDatabase({ dataDir }, signal) {
  const postmaster = readPostmaster(dataDir);
  for (const pid of [postmaster, ...listChildren(postmaster)]) process.kill(pid, signal);
}

export function readPostmaster(dataDir) {
  try {
    return Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

export function listChildren(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
