import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Unshipped {
  /** Folders that must not be in /app of an image. */
  readonly folders: readonly string[];
  /** Names and sentences that occur only in sources that must not ship. */
  readonly words: readonly string[];
}

/** The files that each package.json excludes from builds (`airlock.unshipped`), and tests. */
export function readUnshipped(root: string): Unshipped {
  const projects = globSync('{apps,libs}/*/package.json', { cwd: root }).map((path) => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, { unshipped?: string[] }>;
    return { folder: dirname(path), unshipped: manifest['airlock']?.unshipped ?? [] };
  });
  const kept = projects.flatMap(({ folder, unshipped }) => unshipped.map((name) => `${folder}/src/${name}/`));
  const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root });
  const isUnshipped = (path: string) =>
    /\.(spec|fixture)\.ts$/.test(path) || kept.some((folder) => path.startsWith(folder));
  const read = (paths: readonly string[]) => paths.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
  const others = globSync('{apps,libs}/*/{package.json,bin/*,src/**/*.sql}', { cwd: root });
  const shipped = read([...sources.filter((path) => !isUnshipped(path)), ...others]);
  const secret = read(sources.filter(isUnshipped));
  const names = [...secret.matchAll(/^export (?:async )?(?:function|class|const) (\w{10,})/gm)];
  // A quotation mark starts a text only where one can start: not after the end of another.
  const sentences = [...secret.matchAll(/(?<!["'`\\])'([^'\n]{30,})'/g)];
  const words = new Set([...names, ...sentences].map((match) => match[1] ?? ''));
  return {
    folders: kept.map((folder) => `app/${folder.replace('/src/', '/dist/')}`),
    words: [...words].filter((word) => !shipped.includes(word)),
  };
}
