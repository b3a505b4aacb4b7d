// Runs TypeScript sources in Node without a build: `node --import ./tools/typescript.mjs file.ts`.
// Node's own type stripping omits decorator metadata, which Nest's injection needs, so this uses the compiler of the
// build.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, enableCompileCache, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { swcOptions } from './swc-options.mjs';

const SOURCE_CONDITION = '@airlock/source';
const CACHE = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url));
const require = createRequire(import.meta.url);
const compiler = JSON.stringify([require('@swc/core/package.json').version, swcOptions]);

enableCompileCache(`${CACHE}node`);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isFile = specifier.startsWith('.') && specifier.endsWith('.js');
    const fromSource = isFile && context.parentURL?.endsWith('.ts');
    const target = fromSource ? `${specifier.slice(0, -'.js'.length)}.ts` : specifier;
    const file = isFile ? new URL(target, context.parentURL) : undefined;
    // Node would take three times as long to find the same file. It resolves links, and reports missing files.
    if (file && isPlainFile(file)) return { url: file.href, shortCircuit: true };
    // Packages do not import our sources, and an unchanged request is served from Node's cache.
    if (context.parentURL?.includes('/node_modules/')) return nextResolve(specifier);
    return nextResolve(target, { ...context, conditions: [...context.conditions, SOURCE_CONDITION] });
  },
  load(url, context, nextLoad) {
    if (!url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
    const filename = fileURLToPath(url);
    return { format: 'module', source: load(filename), shortCircuit: true };
  },
});

function isPlainFile(url) {
  return lstatSync(url, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The last result for each file is cached: most starts compile nothing, and do not even load the compiler. */
function load(filename) {
  const source = readFileSync(filename, 'utf8');
  // At the end: a line before the code would shift the lines of the source map.
  const tail = `\n// ${hash(compiler + source)}\n`;
  const path = `${CACHE}typescript/${hash(filename)}.js`;
  const kept = readKept(path);
  if (kept?.endsWith(tail)) return kept;
  const compiled = compile(source, filename) + tail;
  keep(path, compiled);
  return compiled;
}

function readKept(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Written to another file and moved, because several processes start at once. If the cache is not writable, nothing is
 * cached.
 */
function keep(path, text) {
  try {
    mkdirSync(`${CACHE}typescript`, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  } catch {
    // A read-only checkout, as in the development container.
  }
}

function hash(text) {
  return createHash('sha256').update(text).digest('hex');
}

function compile(source, filename) {
  try {
    return require('@swc/core').transformSync(source, { ...swcOptions, filename, sourceMaps: 'inline' }).code;
  } catch (error) {
    throw describeMistake(error);
  }
}

/** The compiler prints the line at fault, and then useless frames of its own native code. */
function describeMistake(error) {
  const [message] = String(error.message).split('\n\nCaused by:');
  const mistake = new SyntaxError(message.trim());
  mistake.stack = mistake.message;
  return mistake;
}
