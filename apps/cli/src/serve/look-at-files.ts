// Used by docker/watch.mjs too, which runs it without our compiler: only Node's own modules, only types to strip.
import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long the files must stay unchanged: an editor writes a file in several steps, and Git writes many files. */
const SETTLE_MS = 30;
const BURST_LIMIT_MS = 2000;

/** The files that the API is started from, as they are on disk at one moment. */
export interface Look {
  /** By path, a text that changes with every save. */
  readonly files: ReadonlyMap<string, string>;
  /** By path, the identity of each folder: a recreated folder may have another identity. */
  readonly folders: ReadonlyMap<string, string>;
  /** By path, the error code of each folder that cannot be listed. */
  readonly problems: ReadonlyMap<string, string>;
}

const PROJECT_FILES = ['package.json', 'tsconfig.json'];
/** The second is written by npm at the end of an install. */
const WORKSPACE_FILES = ['package-lock.json', 'node_modules/.package-lock.json', 'tsconfig.base.json'];

/**
 * @param what.app the project to look at, with all libraries; undefined: only the .env files
 * @returns the files and folders; unreadable ones are listed as problems
 */
export function lookAtFiles(root: string, what: { app: string | undefined }): Look {
  const look = new Looking(root);
  for (const name of look.list('')) if (isEnvFile(name.name)) look.noteFile(name.name);
  if (what.app === undefined) return look;
  for (const path of WORKSPACE_FILES) look.noteFile(path);
  look.walk('tools', (name) => name.endsWith('.mjs'));
  look.list('apps');
  for (const project of [what.app, ...look.list('libs').map(({ name }) => join('libs', name))]) {
    if (!look.isFolder(project)) continue;
    look.list(project);
    for (const name of PROJECT_FILES) look.noteFile(join(project, name));
    look.walk(join(project, 'src'), isSource);
  }
  return look;
}

/** @returns the paths that were saved, added or removed between two looks */
export function listEdits(before: Look, now: Look): string[] {
  const paths = new Set([...before.files.keys(), ...now.files.keys()]);
  return [...paths].filter((path) => before.files.get(path) !== now.files.get(path)).sort();
}

/**
 * Repeats until two looks agree: the API then reads that state, or the next look finds a difference.
 *
 * @param isComplete false repeats the look
 */
export async function lookUntilSettled(
  look: () => Look,
  seen: Look,
  isComplete: (now: Look) => boolean = () => true,
): Promise<Look> {
  let last = seen;
  for (const start = Date.now(); ; await sleep(SETTLE_MS)) {
    const now = look();
    const isSettled = isComplete(now) && listEdits(last, now).length === 0;
    if (isSettled || Date.now() - start > BURST_LIMIT_MS) return now;
    last = now;
  }
}

class Looking implements Look {
  readonly files = new Map<string, string>();
  readonly folders = new Map<string, string>();
  readonly problems = new Map<string, string>();
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Lists a folder recursively. Links are followed, except to a folder that contains the link. */
  walk(folder: string, isWanted: (name: string) => boolean, above: readonly string[] = []): void {
    const identity = describeFolder(this.#stat(folder));
    if (identity === undefined || above.includes(identity)) return;
    for (const entry of this.list(folder)) {
      const path = join(folder, entry.name);
      const isInner = !isHidden(entry.name) && this.#leadsToFolder(entry, path);
      if (isInner) this.walk(path, isWanted, [...above, identity]);
      else if (isWanted(entry.name)) this.noteFile(path);
    }
  }

  list(folder: string): Dirent[] {
    const identity = describeFolder(this.#stat(folder));
    if (identity === undefined) return [];
    this.folders.set(folder, identity);
    try {
      return readdirSync(join(this.#root, folder), { withFileTypes: true });
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      // A folder that was just removed is checked again with its parent.
      if (code !== 'ENOENT') this.problems.set(folder, code);
      return [];
    }
  }

  noteFile(path: string): void {
    const stats = this.#stat(path);
    // The time of the inode too: a copy may keep the modification time.
    if (stats) this.files.set(path, `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`);
  }

  isFolder(path: string): boolean {
    return this.#stat(path)?.isDirectory() ?? false;
  }

  #leadsToFolder(entry: Dirent, path: string): boolean {
    return entry.isDirectory() || (entry.isSymbolicLink() && this.isFolder(path));
  }

  #stat(path: string): Stats | undefined {
    try {
      return statSync(join(this.#root, path), { throwIfNoEntry: false });
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.problems.set(path, code);
      return undefined;
    }
  }
}

function describeFolder(stats: Stats | undefined): string | undefined {
  // An inode number can be reused at once; its creation time cannot.
  return stats?.isDirectory() ? `${stats.dev} ${stats.ino} ${stats.birthtimeMs}` : undefined;
}

function isEnvFile(name: string): boolean {
  return name === '.env' || (name.startsWith('.env.') && !name.endsWith('.example'));
}

/** Excludes files that only tests read, and temporary files of editors. */
function isSource(name: string): boolean {
  return !/\.(spec|fixture)\.ts$|~$|\.sw[a-z]$|^#.*#$/.test(name) && !isHidden(name);
}

function isHidden(name: string): boolean {
  return name.startsWith('.');
}
