import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** The text of a file, by its path from the root of the repository. */
export const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

export const readJson = <T>(path: string): T => JSON.parse(readText(path)) as T;

/** Paths of the files that git knows or would add, from the root, optionally only those that match. */
export function listFiles(pattern = /./): string[] {
  const out = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
    cwd: root,
    encoding: 'utf8',
  });
  return out.split('\n').filter((path) => path !== '' && pattern.test(path));
}
