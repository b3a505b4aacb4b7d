import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, startCluster } from './cluster.js';
import { nameOwnedFolder } from './leftovers.js';

const MEMORY = '/dev/shm';

/**
 * An empty PostgreSQL of its own, in memory where the system has such a folder. It goes when stopped; what a killed
 * process leaves is swept by the next one to start.
 */
export function startScratchCluster(): Promise<Cluster> {
  const parent = join(existsSync(MEMORY) ? MEMORY : tmpdir(), `airlock-${process.getuid?.() ?? 0}`);
  // PostgreSQL may run as another user, who has to pass through but need not list.
  mkdirSync(parent, { recursive: true, mode: 0o711 });
  return startCluster({ dataDir: join(parent, nameOwnedFolder('scratch')), durable: false });
}
