import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Says that we made a data folder. Without it a folder is another's, whatever its name is. */
export interface ClusterMark {
  /** Stands on the command line of each server that we start in the folder: other servers are not ours to end. */
  readonly id: string;
  /** The cluster that the mark was written for: beside any other one it is worth nothing. */
  readonly systemIdentifier: string;
}

const NAME = 'airlock-cluster.json';

/** @returns undefined where there is none, and where it was written for another cluster */
export function readClusterMark(dataDir: string): ClusterMark | undefined {
  try {
    const { id, systemIdentifier } = JSON.parse(readFileSync(join(dataDir, NAME), 'utf8')) as Partial<ClusterMark>;
    if (!/^[0-9a-f]{32}$/.test(id ?? '') || systemIdentifier !== readSystemIdentifier(dataDir)) return undefined;
    return { id: id ?? '', systemIdentifier };
  } catch {
    return undefined;
  }
}

/** @throws where one is there already */
export function writeClusterMark(dataDir: string): void {
  const mark: ClusterMark = {
    id: randomBytes(16).toString('hex'),
    systemIdentifier: readSystemIdentifier(dataDir),
  };
  writeFileSync(join(dataDir, NAME), JSON.stringify(mark), { flag: 'wx', mode: 0o600 });
}

/** A setting without effect, by which a server's command line names the folder's mark. */
export function createMarkSetting({ id }: ClusterMark): string {
  return `airlock.cluster=${id}`;
}

/** The number PostgreSQL gave this cluster when it was made: the first field of its control file. */
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
