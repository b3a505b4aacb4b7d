// node --import ./tools/typescript.mjs checks/src/measure-structure.ts
// Prints figures of the workspace: files and lines, longest chain of imports, cycles, two-way folders, exports per
// index.
import {
  findCycles,
  findLongestChain,
  findTwoWayFolders,
  isTest,
  loadImportGraph,
  withoutTests,
} from './import-graph.js';
import { listFiles, readText } from './repository.js';

const graph = loadImportGraph();
const shipped = withoutTests(graph);
const lines = (paths: readonly string[]) =>
  paths.reduce((sum, path) => sum + readText(path).trimEnd().split('\n').length, 0);
const [tests, code] = [[...graph.keys()].filter(isTest), [...shipped.keys()]];
const cycles = findCycles(graph);
const chain = findLongestChain(shipped);
const pairs = findTwoWayFolders(shipped);

console.log(`code        ${code.length} files, ${lines(code)} lines`);
console.log(`tests       ${tests.length} files, ${lines(tests)} lines`);
console.log(`cycles      ${cycles.length}`);
for (const cycle of cycles) console.log(`              ${cycle.join(' → ')}`);
console.log(`two-way     ${pairs.length} pairs of folders`);
for (const { folders, imports } of pairs) console.log(`              ${folders.join(' ⇄ ')}: ${imports.join(', ')}`);
console.log(`chain       ${chain.length} files`);
for (const file of chain) console.log(`              ${file}`);
console.log('exports per index');
for (const index of listFiles(/^libs\/[^/]+\/src\/(\w+\/)*index\.ts$/)) {
  console.log(`  ${String(countNames(readText(index))).padStart(4)}      ${index}`);
}

/** An index only lists names: `export { a, type B } from './file.js'`. */
function countNames(text: string): number {
  return [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap(([, names = '']) => names.split(','))
    .filter((name) => name.trim() !== '').length;
}
