import { basename } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import {
  findCycles,
  findLongestChain,
  findTwoWayFolders,
  isTest,
  loadDoors,
  loadImportGraph,
  projectOf,
  withoutTests,
} from './import-graph.js';
import { listFiles, readText } from './repository.js';

const graph = loadImportGraph();
const shipped = withoutTests(graph);
const LONGEST_CHAIN = 19;

describe('the imports of the workspace', () => {
  it('have no cycle, types and tests included', () => {
    expect(findCycles(graph).map((cycle) => cycle.join(' → '))).toEqual([]);
  });

  it('go one way between two folders', () => {
    expect(findTwoWayFolders(shipped).map(({ imports }) => imports.join(', '))).toEqual([]);
  });

  it(`are at most ${LONGEST_CHAIN} files in a row`, () => {
    const chain = findLongestChain(shipped);
    expect(chain.length > LONGEST_CHAIN ? chain : []).toEqual([]);
  });

  it('take nothing from another app', () => {
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

  it('find what is there', () => {
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
  /** By convention, or because a platform asks for it. */
  const ALIKE = /\/(index|main)\.ts$|^docker\/deploy\//;
  const sources = listFiles(/^(apps|libs|checks|docker)\/.*\.ts$/).filter((path) => !ALIKE.test(path));

  it('of files tell them apart', () => {
    expect(findShared(sources.map((path) => [basename(path), path]))).toEqual([]);
  });

  it('of exports tell them apart', () => {
    const names = sources
      .filter((path) => !isTest(path))
      .flatMap((path) => listExports(path).map((name) => [name, path] as const));
    expect(findShared(names)).toEqual([]);
  });
});

describe('the face of each library', () => {
  /** One name for each part of the configuration, also for the parts that only a product injects. */
  const COMPLETE = ['libs/config/src/nest/index.ts'];
  // A library that was just made has no user yet.
  const hasUser = (face: string) =>
    [...graph].some(([file, targets]) => projectOf(file) !== projectOf(face) && targets.includes(face));
  const faces = [...loadDoors().values()].filter(
    (path) =>
      path.startsWith('libs/') &&
      !COMPLETE.includes(path) &&
      hasUser(path) &&
      /^export (type )?\{/m.test(readText(path)),
  );
  const texts = [...graph.keys()].map((path) => ({ path, text: readText(path) }));

  it.each(faces)('%s shows only names that are used outside', (face) => {
    const others = texts.filter(({ path }) => projectOf(path) !== projectOf(face));
    const isUsed = (name: string) => others.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text));
    expect(listShown(readText(face)).filter((name) => !isUsed(name))).toEqual([]);
  });
});

/** The names behind `export { a, type B } from './file.js'`. */
function listShown(text: string): string[] {
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)].flatMap(([, list = '']) => list.split(','));
  return lists.map((name) => name.replace(/^\s*type\b|^.* as /, '').trim()).filter((name) => name !== '');
}

/** `name: path, path` for each name that several paths have. */
function findShared(named: readonly (readonly [name: string, path: string])[]): string[] {
  return [...Map.groupBy(named, ([name]) => name)]
    .filter(([, all]) => all.length > 1)
    .map(([name, all]) => `${name}: ${all.map(([, path]) => path).join(', ')}`);
}

/** What a file declares and exports; what it only hands on has its name elsewhere. */
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
  // Overloads of a function, or a type and a value, are one name.
  return [...new Set(names)];
}
