import { basename } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import {
  findCycles,
  findLongestChain,
  findTwoWayFolders,
  isTest,
  loadEntryPoints,
  loadImportGraph,
  projectOf,
  withoutTests,
} from './import-graph.js';
import { listFiles, readText } from './repository.js';

const graph = loadImportGraph();
const shipped = withoutTests(graph);
const LONGEST_CHAIN = 19;
/** A product adds as many files as it needs. */
const PRODUCT = /^(apps\/api|libs\/jobs|libs\/model)\//;

describe('the imports of the workspace', () => {
  it('have no cycle, types and tests included', () => {
    expect(findCycles(graph).map((cycle) => cycle.join(' → '))).toEqual([]);
  });

  it('go in one direction between two folders', () => {
    expect(findTwoWayFolders(shipped).map(({ imports }) => imports.join(', '))).toEqual([]);
  });

  it(`are at most ${LONGEST_CHAIN} files in a row, outside of the product`, () => {
    const chain = findLongestChain(new Map([...shipped].filter(([file]) => !PRODUCT.test(file))));
    expect(chain.length > LONGEST_CHAIN ? chain : []).toEqual([]);
  });

  it('import nothing from another app', () => {
    const across = [...graph].flatMap(([file, targets]) =>
      targets
        .filter((target) => target.startsWith('apps/') && projectOf(target) !== projectOf(file))
        .filter(() => !/^(checks|bench|docker)\//.test(file))
        .map((target) => `${file} → ${target}`),
    );
    expect(across).toEqual([]);
  });
});

describe('the finders of cycles, pairs and chains', () => {
  const tangled = new Map([
    ['apps/a/one.ts', ['apps/a/b/two.ts']],
    ['apps/a/b/two.ts', ['apps/a/b/three.ts']],
    ['apps/a/b/three.ts', ['apps/a/one.ts']],
    ['apps/a/four.ts', ['apps/a/one.ts']],
  ]);

  it('find known examples', () => {
    expect(findCycles(tangled).map((cycle) => cycle.sort())).toEqual([
      ['apps/a/b/three.ts', 'apps/a/b/two.ts', 'apps/a/one.ts'],
    ]);
    expect(findTwoWayFolders(tangled)).toMatchObject([{ folders: ['apps/a', 'apps/a/b'] }]);
    expect(findLongestChain(new Map([...tangled, ['apps/a/b/three.ts', []]]))).toEqual([
      'apps/a/four.ts',
      'apps/a/one.ts',
      'apps/a/b/two.ts',
      'apps/a/b/three.ts',
    ]);
  });
});

describe('names', () => {
  /** Names fixed by convention, or because a platform requires them. */
  const ALIKE = /\/(index|main)\.ts$|^docker\/deploy\//;
  const sources = listFiles(/^(apps|libs|checks|docker)\/.*\.ts$/).filter((path) => !ALIKE.test(path));

  it('of files are unique', () => {
    expect(findShared(sources.map((path) => [basename(path), path]))).toEqual([]);
  });

  it('of exports are unique', () => {
    const names = sources
      .filter((path) => !isTest(path))
      .flatMap((path) => listExports(path).map((name) => [name, path] as const));
    expect(findShared(names)).toEqual([]);
  });
});

describe('the index of each library', () => {
  /** One name for each part of the configuration, including the parts that only a product injects. */
  const COMPLETE = ['libs/config/src/nest/index.ts'];
  // A newly created library has no user yet.
  const hasUser = (index: string) =>
    [...graph].some(([file, targets]) => projectOf(file) !== projectOf(index) && targets.includes(index));
  const indexes = [...loadEntryPoints().values()].filter(
    (path) =>
      path.startsWith('libs/') &&
      !COMPLETE.includes(path) &&
      hasUser(path) &&
      /^export (type )?\{/m.test(readText(path)),
  );
  const texts = [...graph.keys()].map((path) => ({ path, text: readText(path) }));

  it.each(indexes)('%s exports only names that are used outside', (index) => {
    const others = texts.filter(({ path }) => projectOf(path) !== projectOf(index));
    const isUsed = (name: string) => others.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text));
    expect(listReexported(readText(index)).filter((name) => !isUsed(name))).toEqual([]);
  });
});

/** The names behind `export { a, type B } from './file.js'`. */
function listReexported(text: string): string[] {
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)].flatMap(([, list = '']) => list.split(','));
  return lists.map((name) => name.replace(/^\s*type\b|^.* as /, '').trim()).filter((name) => name !== '');
}

/** `name: path, path` for each name that several paths share. */
function findShared(named: readonly (readonly [name: string, path: string])[]): string[] {
  return [...Map.groupBy(named, ([name]) => name)]
    .filter(([, all]) => all.length > 1)
    .map(([name, all]) => `${name}: ${all.map(([, path]) => path).join(', ')}`);
}

/** The names that a file declares and exports; re-exported names belong to another file. */
function listExports(path: string): string[] {
  const source = ts.createSourceFile(path, readText(path), ts.ScriptTarget.Latest);
  const isExported = (node: ts.Statement) =>
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  const namesOf = (node: ts.Statement): (string | undefined)[] =>
    ts.isVariableStatement(node)
      ? node.declarationList.declarations.map(({ name }) => (ts.isIdentifier(name) ? name.text : undefined))
      : [(node as ts.Statement & { name?: ts.Identifier }).name?.text];
  const names = source.statements
    .filter(isExported)
    .flatMap(namesOf)
    .filter((name) => name !== undefined);
  // Overloads of a function, or a type and a value, count as one name.
  return [...new Set(names)];
}
