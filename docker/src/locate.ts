import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlias, isMap, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml';

export type Path = readonly string[];

/** `file:line` of what decides `path`, or of the nearest thing above it; of equals, the file named first. */
export function locate(root: string, files: readonly string[], path: Path): string {
  const found = files.map((file) => ({ file, ...findDeepest(readFileSync(join(root, file), 'utf8'), path) }));
  const best = found.reduce((left, right) => (right.depth > left.depth ? right : left));
  return `${best.file}:${best.line}`;
}

function findDeepest(text: string, path: Path): { depth: number; line: number } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'error' });
  let node = document.contents as Node | null;
  let [depth, offset] = [0, 0];
  for (const key of path) {
    const pair = findPair(document, node, key);
    if (!pair) break;
    depth += 1;
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value as Node | null;
  }
  return { depth, line: lines.linePos(offset).line };
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
