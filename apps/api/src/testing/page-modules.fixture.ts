import { posix } from 'node:path';
import { readCode, runCode } from './page-code.fixture.js';

type Exports = Record<string, unknown>;

/** The packages to which a page adds files, by folder: `libs/jobs/` belongs to `@airlock/jobs`. */
type Packages = Readonly<Record<string, { readonly name: string; readonly exports: object }>>;

/**
 * Runs the blocks of a page as the files that their first lines name, in their order.
 *
 * @param packages the folders that other blocks import by the name of a package, and what it has without the page
 * @returns the exports by the path of the file
 */
export function runPage(
  page: string,
  packages: Packages,
  others: Readonly<Record<string, object>>,
): Map<string, Exports> {
  const files = new Map<string, Exports>();
  for (const code of readCode(page)) {
    const [, path] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? [];
    if (path === undefined) throw new Error(`${page}: a block names no file; expected it in the first line: // libs/…`);
    const folder = posix.dirname(path);
    const siblings = [...files].map(([other, exports]) => [
      `./${posix.relative(folder, other)}`.replace(/\.ts$/, '.js'),
      exports,
    ]);
    const extended = Object.entries(packages).map(([under, { name, exports }]) => {
      const added = [...files].filter(([other]) => other.startsWith(under)).map(([, more]) => more);
      return [name, Object.assign({}, exports, ...added) as object];
    });
    const modules = { ...others, ...Object.fromEntries(siblings), ...Object.fromEntries(extended) } as Record<
      string,
      object
    >;
    files.set(path, runCode(code, modules));
  }
  return files;
}
