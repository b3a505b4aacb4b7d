import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The variables that Compose files use: `${NAME}` or `$NAME`, and each NAME without a value on a line, which Compose
 * passes to the service. Files that they name, such as those of `extends`, count too.
 */
export function findComposeNames(files: readonly string[]): Set<string> {
  const names = new Set<string>();
  const queue = [...files];
  for (const file of queue) {
    const text = readFileSync(file, 'utf8').replace(/^\s*#.*$/gm, '');
    for (const [, name = ''] of [...text.matchAll(INTERPOLATED), ...text.matchAll(PASSED_ON)]) names.add(name);
    const named = [...text.matchAll(YAML_FILE)].map(([path]) => join(dirname(file), path));
    queue.push(...new Set(named.filter((path) => !queue.includes(path) && isReadableFile(path))));
  }
  return names;
}

/** An even number of $ before the last one are dollars of the value. */
const INTERPOLATED = /(?<!\$)(?:\$\$)*\$\{?([A-Za-z_]\w*)/g;
const PASSED_ON = /^[ \t]*(?:-[ \t]+)?["']?([A-Za-z_]\w*)["']?(?::(?:[ \t]+(?:null|~))?)?[ \t]*(?:#.*)?\r?$/gm;
/** Relative to the file that names it. */
const YAML_FILE = /(?<![\w./-])[\w.][\w./-]*\.ya?ml\b/g;

/** Not a pipe, which can be read only once, and Compose must read it. */
export function isReadableFile(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
