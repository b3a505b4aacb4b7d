import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Cluster } from '../../embedded/cluster.js';
import type { Clone } from '../clones/clone-registry.js';
import { CACHE_FOLDER } from './storage.js';
import { copyFolder } from './template-cache.js';

/** The data folder of the last run that failed, with the databases of the failed files in it. */
export const KEPT_FOLDER = join(CACHE_FOLDER, 'kept');
const LIST_FILE = 'airlock-kept.json';

export interface KeptDatabase {
  readonly name: string;
  readonly file: string;
}

/** Moves the folder out of the way of the cluster's own clearing; the cluster is stopped by the caller. */
export async function keepDatabases(cluster: Cluster, kept: readonly Clone[]): Promise<void> {
  if (kept.length === 0) return;
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

export function listKeptDatabases(): KeptDatabase[] {
  const list = join(KEPT_FOLDER, LIST_FILE);
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as KeptDatabase[]) : [];
}
