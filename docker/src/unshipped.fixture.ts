import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Unshipped {
  /** Folders of an image's /app that must not be there. */
  readonly folders: readonly string[];
  /** Names and sentences that are in sources which must not ship, and in no other. */
  readonly words: readonly string[];
}

/** What each project's package.json keeps out of builds (`airlock.unshipped`), and tests. */
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
  // A quotation mark opens a text only where one can begin: not behind the end of another.
  const sentences = [...secret.matchAll(/(?<!["'`\\])'([^'\n]{30,})'/g)];
  const words = new Set([...names, ...sentences].map((match) => match[1] ?? ''));
  return {
    folders: kept.map((folder) => `app/${folder.replace('/src/', '/dist/')}`),
    words: [...words].filter((word) => !shipped.includes(word)),
  };
}
