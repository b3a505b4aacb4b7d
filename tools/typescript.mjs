// Runs TypeScript sources in Node without a build: `node --import ./tools/typescript.mjs file.ts`.
// Node's own type stripping knows no decorator metadata, which Nest's injection needs; the compiler is the one that builds.
import { readFileSync } from 'node:fs';
import { enableCompileCache, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import { swcOptions } from './swc-options.mjs';

const SOURCE_CONDITION = '@airlock/source';

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)));

registerHooks({
  resolve(specifier, context, nextResolve) {
    const fromSource = context.parentURL?.endsWith('.ts') && specifier.startsWith('.') && specifier.endsWith('.js');
    const target = fromSource ? `${specifier.slice(0, -'.js'.length)}.ts` : specifier;
    return nextResolve(target, { ...context, conditions: [...context.conditions, SOURCE_CONDITION] });
  },
  load(url, context, nextLoad) {
    if (!url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
    const filename = fileURLToPath(url);
    return { format: 'module', source: compile(filename), shortCircuit: true };
  },
});

function compile(filename) {
  try {
    return transformSync(readFileSync(filename, 'utf8'), { ...swcOptions, filename, sourceMaps: 'inline' }).code;
  } catch (error) {
    throw describeMistake(error);
  }
}

/** The compiler shows the line at fault, and then the frames of its own native code, which help nobody. */
function describeMistake(error) {
  const [message] = String(error.message).split('\n\nCaused by:');
  const mistake = new SyntaxError(message.trim());
  mistake.stack = mistake.message;
  return mistake;
}
