import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, startCluster } from './cluster.js';
import { nameOwnedFolder } from './leftovers.js';

const MEMORY = '/dev/shm';

/**
 * An empty PostgreSQL, in memory where the system has such a folder. Its folder is removed when it stops; the next
 * start sweeps the folder of a killed process.
 */
export function startScratchCluster(): Promise<Cluster> {
  const parent = join(existsSync(MEMORY) ? MEMORY : tmpdir(), `airlock-${process.getuid?.() ?? 0}`);
  // PostgreSQL may run as another user, who needs to pass through but not to list.
  mkdirSync(parent, { recursive: true, mode: 0o711 });
  return startCluster({ dataDir: join(parent, nameOwnedFolder('scratch')), durable: false });
}
