import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** The text of a file, by its path from the root of the repository. */
export const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

export const readJson = <T>(path: string): T => JSON.parse(readText(path)) as T;

/**
 * Paths of the files that belong to the repository, from its root: all existing files that are not ignored, optionally
 * only matching ones. Queried through an empty Git folder, so that the answer is the same in a copy without one, in a
 * checkout of another user, and after files were renamed.
 */
export function listFiles(pattern = /./): string[] {
  paths ??= listFilesOf(root);
  return paths.filter((path) => pattern.test(path));
}

let paths: readonly string[] | undefined;

export function listFilesOf(checkout: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-checks-'));
  const git = (...args: string[]) =>
    execFileSync('git', [`--git-dir=${folder}`, ...args], { cwd: checkout, encoding: 'utf8', maxBuffer: MAX_BYTES });
  try {
    git('init', '--quiet', '--bare');
    const out = git(`--work-tree=${checkout}`, 'ls-files', '--others', '--exclude-standard', '-z');
    return out.split('\0').filter((path) => path !== '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const MAX_BYTES = 64 * 1024 * 1024;
