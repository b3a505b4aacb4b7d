// Loaded first by a child process: the table of environments gets one more row, which states nothing. All else is as it is.
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import '../../tools/typescript.mjs';
import { swcOptions } from '../../tools/swc-options.mjs';

const TABLE = new URL('../../libs/config/src/values/environment.ts', import.meta.url).href;
const END = '} as const satisfies Readonly<Record<string, Row>>;';

registerHooks({
  load(url, context, nextLoad) {
    if (url !== TABLE) return nextLoad(url, context);
    const filename = fileURLToPath(TABLE);
    const text = readFileSync(filename, 'utf8');
    if (!text.includes(END)) throw new Error(`${filename}: has no line "${END}"; expected the end of the table`);
    const { transformSync } = createRequire(import.meta.url)('@swc/core');
    const { code } = transformSync(text.replace(END, `qa: {},\n${END}`), { ...swcOptions, filename });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
