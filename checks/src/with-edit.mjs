// For a child process: edits one source file in memory. All other files stay unchanged.
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import '../../tools/typescript.mjs';
import { swcOptions } from '../../tools/swc-options.mjs';

/** Inserts lines before a line of the file, whose path is from the root of the repository. */
export function insertBefore(path, line, lines) {
  const target = new URL(`../../${path}`, import.meta.url);
  registerHooks({
    load(url, context, nextLoad) {
      if (url !== target.href) return nextLoad(url, context);
      const filename = fileURLToPath(target);
      const text = readFileSync(filename, 'utf8');
      if (!text.includes(`\n${line}\n`)) throw new Error(`${path}: has no line ${JSON.stringify(line)}; expected one`);
      const { transformSync } = createRequire(import.meta.url)('@swc/core');
      const { code } = transformSync(text.replace(`\n${line}\n`, `\n${lines}\n${line}\n`), { ...swcOptions, filename });
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
}
