import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Proves that this workspace made a data folder. A folder without it belongs to another program, whatever its name is.
 */
export interface ClusterMark {
  /** Part of the command line of each server that we start in the folder. We never end any other server. */
  readonly id: string;
  /** The cluster that the mark was written for; the mark is not valid for any other. */
  readonly systemIdentifier: string;
}

const NAME = 'airlock-cluster.json';

/** @returns undefined without a mark, and for one that was written for another cluster */
export function readClusterMark(dataDir: string): ClusterMark | undefined {
  try {
    const { id, systemIdentifier } = JSON.parse(readFileSync(join(dataDir, NAME), 'utf8')) as Partial<ClusterMark>;
    if (!/^[0-9a-f]{32}$/.test(id ?? '') || systemIdentifier !== readSystemIdentifier(dataDir)) return undefined;
    return { id: id ?? '', systemIdentifier };
  } catch {
    return undefined;
  }
}

/** A mark for the cluster in the folder. It is not written yet. */
export function createClusterMark(dataDir: string): ClusterMark {
  return { id: randomBytes(16).toString('hex'), systemIdentifier: readSystemIdentifier(dataDir) };
}

/** Writes the mark, unless the folder has one that is valid. @returns the mark of the folder */
export function ensureClusterMark(dataDir: string, mark: ClusterMark): ClusterMark {
  const found = readClusterMark(dataDir);
  if (found) return found;
  rmSync(join(dataDir, NAME), { force: true });
  writeFileSync(join(dataDir, NAME), JSON.stringify(mark), { flag: 'wx', mode: 0o600 });
  return mark;
}

/** A setting without effect. It puts the folder's mark on the server's command line. */
export function createMarkSetting({ id }: ClusterMark): string {
  return `airlock.cluster=${id}`;
}

/** The number that PostgreSQL gave this cluster when it was created: the first field of its control file. */
export function readSystemIdentifier(dataDir: string): string {
  const file = openSync(join(dataDir, 'global/pg_control'), 'r');
  try {
    const field = Buffer.alloc(8);
    readSync(file, field);
    return field.readBigUInt64LE().toString();
  } finally {
    closeSync(file);
  }
}
