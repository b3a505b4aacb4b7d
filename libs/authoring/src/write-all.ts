import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuthoringRefusal } from './refusal.js';

export interface FileChange {
  /** Relative to the root of the workspace. */
  readonly path: string;
  readonly text: string;
  /** The current content of the file; undefined for a new file. */
  readonly before?: string;
}

/** Reads a file that will be changed. @throws AuthoringRefusal if it is missing */
export function readWorkspaceFile(root: string, path: string): string {
  if (!existsSync(join(root, path)))
    throw new AuthoringRefusal(`${path}: is missing; expected the sources of the workspace`);
  return readFileSync(join(root, path), 'utf8');
}

/** Files of an earlier attempt, or of another thing with this name, are never overwritten. @throws AuthoringRefusal */
export function assertFree(root: string, name: string, paths: readonly string[]): void {
  const taken = [...new Set(paths)].filter((path) => exists(join(root, path)));
  if (taken.length === 0) return;
  throw new AuthoringRefusal(
    `"${name}": already exists; expected another name, or none of these files:\n${taken.map((path) => `  ${path}`).join('\n')}`,
  );
}

/** True also for a symbolic link whose target is missing. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/**
 * Writes all of the files or none. Every text is on disk before the first file is replaced, so that a full disk or a
 * missing permission leaves the workspace as it was.
 * @returns a function that undoes everything
 */
export function writeAll(root: string, changes: readonly FileChange[]): () => void {
  const undo: (() => void)[] = [];
  const rollBack = () =>
    undo
      .splice(0)
      .reverse()
      .forEach((step) => step());
  try {
    for (const { path, text } of changes) {
      undo.push(...makeFolders(dirname(join(root, path))));
      writeFileSync(stagedPath(root, path), text, { flag: 'wx' });
      undo.push(() => rmSync(stagedPath(root, path), { force: true }));
    }
    for (const { path, before } of changes) {
      const target = join(root, path);
      if (before === undefined && exists(target))
        throw new AuthoringRefusal(`${path}: already exists; expected no such file`);
      if (before !== undefined && readFileSync(target, 'utf8') !== before)
        throw new AuthoringRefusal(`${path}: another process changed it; nothing was written, run the command again`);
      renameSync(stagedPath(root, path), target);
      undo.push(() => (before === undefined ? rmSync(target, { force: true }) : writeFileSync(target, before)));
    }
  } catch (error) {
    rollBack();
    throw error;
  }
  return rollBack;
}

function stagedPath(root: string, path: string): string {
  return join(root, `${path}.${process.pid}.new`);
}

/** @returns functions that remove each new folder, the innermost last */
function makeFolders(folder: string): (() => void)[] {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at); at = dirname(at)) missing.unshift(at);
  return missing.map((path) => {
    mkdirSync(path);
    return () => rmdirSync(path);
  });
}
