import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml';

export type Path = readonly string[];

export interface Breach {
  readonly path: Path;
  /** The problem, and the expected state. */
  readonly problem: string;
}

interface Place {
  readonly file: string;
  readonly line: number;
  /** The number of path steps that it matches. */
  readonly depth: number;
}

/**
 * `file:line` of the entry that sets `path`, or of its nearest parent; of equal ones, in the first file. Anchors and
 * merges are followed within a file, `extends` and `include` between files.
 */
export function locate(root: string, files: readonly string[], path: Path): string {
  const places = files.flatMap((file) => [file, ...includedBy(root, file)]).map((file) => find(root, file, path));
  const best = deepest(places);
  return `${best.file}:${best.line}`;
}

function find(root: string, file: string, path: Path): Place {
  const { document, lineOf } = read(root, file);
  let node = document.contents;
  let [depth, line] = [0, 1];
  const others: Place[] = [];
  for (const key of path) {
    const pair = findPair(document, node, key);
    if (!pair) break;
    depth += 1;
    line = lineOf(pair);
    node = pair.value as Node | null;
    if (depth === 2 && path[0] === 'services')
      others.push(...extendedBy(root, { file, document, service: pair, path }));
  }
  return deepest([{ file, line, depth }, ...others]);
}

interface Extending {
  readonly file: string;
  readonly document: Document;
  readonly service: Pair;
  readonly path: Path;
}

/** The same path in the service that this one extends. */
function extendedBy(root: string, { file, document, service, path }: Extending): Place[] {
  const extension = findPair(document, service.value as Node | null, 'extends')?.value as Node | undefined;
  const read = (key: string) => textOf(findPair(document, extension, key)?.value);
  const name = textOf(extension) ?? read('service');
  if (name === undefined) return [];
  const other = read('file');
  return [find(root, other === undefined ? file : beside(file, other), ['services', name, ...path.slice(2)])];
}

function includedBy(root: string, file: string): string[] {
  const { document } = read(root, file);
  const entries = findPair(document, document.contents, 'include')?.value;
  const paths = isSeq(entries) ? (entries.items as Node[]) : [];
  return paths
    .flatMap((entry) => textOf(entry) ?? textOf(findPair(document, entry, 'path')?.value) ?? [])
    .map((path) => beside(file, path))
    .filter((path) => existsSync(join(root, path)))
    .flatMap((path) => [path, ...includedBy(root, path)]);
}

function read(root: string, file: string): { document: Document; lineOf: (pair: Pair) => number } {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(join(root, file), 'utf8'), { lineCounter: lines, logLevel: 'error' });
  return { document, lineOf: ({ key }) => lines.linePos((key as Node).range?.[0] ?? 0).line };
}

function findPair(document: Document, node: Node | null | undefined, key: string): Pair | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (!isMap(target)) return undefined;
  const own = target.items.find((pair) => String(pair.key) === key);
  if (own) return own;
  const merged = target.items.filter((pair) => String(pair.key) === '<<').map((pair) => pair.value as Node);
  const sources = merged.flatMap((value) => (isSeq(value) ? (value.items as Node[]) : [value]));
  return sources.map((source) => findPair(document, source, key)).find((pair) => pair !== undefined);
}

function textOf(value: unknown): string | undefined {
  return isScalar(value) ? String(value.value) : undefined;
}

function beside(file: string, other: string): string {
  return normalize(join(dirname(file), other));
}

/** The first of the deepest matches. */
function deepest(places: readonly Place[]): Place {
  return places.reduce((left, right) => (right.depth > left.depth ? right : left));
}
