import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
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

/** @throws if the folder has a mark */
export function writeClusterMark(dataDir: string): void {
  const mark: ClusterMark = {
    id: randomBytes(16).toString('hex'),
    systemIdentifier: readSystemIdentifier(dataDir),
  };
  writeFileSync(join(dataDir, NAME), JSON.stringify(mark), { flag: 'wx', mode: 0o600 });
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
