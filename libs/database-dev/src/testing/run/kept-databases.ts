import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  copyFolder,
  startCluster,
  isLocked,
  findPostgresIn,
  CACHE_FOLDER,
  type Cluster,
} from '@airlock/embedded-postgres';
import type { Clone } from '../clones/clone-registry.js';
import { formatUrl } from '../clones/database-name.js';

/** The data folder of the last failed run, with the databases of the failed files. */
const KEPT_FOLDER = join(CACHE_FOLDER, 'kept');
const LIST_FILE = 'airlock-kept.json';

interface KeptDatabase {
  readonly name: string;
  readonly file: string;
}

/** Moves the folder, so that the cluster does not remove it; the caller stops the cluster. */
export async function keepDatabases(cluster: Cluster, kept: readonly Clone[]): Promise<void> {
  if (kept.length === 0) return;
  if (findPostgresIn(KEPT_FOLDER).length > 0 || isLocked(KEPT_FOLDER)) {
    return console.error('\nThe databases of this run are not kept: `airlock db kept` serves those of an earlier one.');
  }
  const aside = `${cluster.dataDir}.kept`;
  renameSync(cluster.dataDir, aside);
  await cluster.stop();
  for (const mark of ['postmaster.pid', 'airlock-run.json']) rmSync(join(aside, mark), { force: true });
  const list: KeptDatabase[] = kept.map(({ name, file }) => ({ name, file: file ?? '' }));
  writeFileSync(join(aside, LIST_FILE), JSON.stringify(list));
  rmSync(KEPT_FOLDER, { recursive: true, force: true });
  mkdirSync(dirname(KEPT_FOLDER), { recursive: true });
  await copyFolder(aside, KEPT_FOLDER);
  rmSync(aside, { recursive: true, force: true });
}

/** Starts a server on the kept data of the last failed run. @returns undefined if there is none */
export async function openKeptDatabases() {
  const list = readList();
  if (list.length === 0) return undefined;
  const cluster = await startCluster({ dataDir: KEPT_FOLDER, durable: false, keepFolder: true });
  return {
    databases: list.map(({ name, file }) => ({ file, url: formatUrl({ ...cluster.superuser, database: name }) })),
    ended: cluster.ended,
    stop: () => cluster.stop(),
  };
}

function readList(): KeptDatabase[] {
  const list = join(KEPT_FOLDER, LIST_FILE);
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as KeptDatabase[]) : [];
}
