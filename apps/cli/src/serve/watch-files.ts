import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from './workspace.js';

const SETTLE_MS = 30;

/** Calls back once for each burst of edits: an editor writes a file in several steps. @returns what ends the watch */
export function watchFiles(what: { sources: boolean }, onEdit: (path: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const note = (path: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => onEdit(path), SETTLE_MS);
  };
  const watchers: FSWatcher[] = [watch(ROOT, (_, name) => name && isEnvFile(name) && note(name))];
  for (const folder of what.sources ? listSourceFolders() : []) {
    const watcher = watch(join(ROOT, folder), { recursive: true }, (_, name) => {
      if (name && isSource(name)) note(join(folder, name));
    });
    watchers.push(watcher);
  }
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

function listSourceFolders(): string[] {
  const libs = readdirSync(join(ROOT, 'libs')).map((lib) => join('libs', lib, 'src'));
  return ['apps/api/src', ...libs].filter((folder) => existsSync(join(ROOT, folder)));
}

function isEnvFile(name: string): boolean {
  return name === '.env' || (name.startsWith('.env.') && !name.endsWith('.example'));
}

function isSource(name: string): boolean {
  return !/\.(spec|fixture)\.ts$|~$|\.sw[a-z]$/.test(name) && !basename(name).startsWith('.');
}
