import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { listFiles, readJson, readText } from './repository.js';

/** The imports of each source file, including types and lazy imports. Paths start at the root. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const CODE = /^(apps|libs|checks|docker|tools|bench)\/.*\.(ts|mjs)$/;
/** Files that only tests and suites load; these may import from both sides of a layer. */
const TEST = /\.(spec|fixture|suite)\.ts$|\/(testing|suite)\//;

export function loadImportGraph(): ImportGraph {
  const files = listFiles(CODE);
  const entryPoints = loadEntryPoints();
  return new Map(files.map((file) => [file, resolveImports(file, { files: new Set(files), entryPoints })]));
}

/** The graph of files that ship or that serve in the workspace, without tests. */
export function withoutTests(graph: ImportGraph): ImportGraph {
  return new Map([...graph].filter(([file]) => !isTest(file)));
}

export function isTest(file: string): boolean {
  return TEST.test(file);
}

/** `apps/api`, `libs/config`, `checks`: the project that a file belongs to. */
export function projectOf(file: string): string {
  return /^(apps|libs)\/[^/]+/.exec(file)?.[0] ?? file.split('/')[0] ?? '';
}

interface Known {
  readonly files: ReadonlySet<string>;
  /** Source by its import name, e.g. `@airlock/config/testing`. */
  readonly entryPoints: ReadonlyMap<string, string>;
}

function resolveImports(file: string, { files, entryPoints }: Known): string[] {
  const { importedFiles } = ts.preProcessFile(readText(file), true, true);
  const targets = importedFiles.flatMap(({ fileName: name }) => {
    if (!name.startsWith('.')) return entryPoints.get(name) ?? [];
    const path = normalize(join(dirname(file), name));
    return [path.replace(/\.js$/, '.ts'), path].find((candidate) => files.has(candidate)) ?? [];
  });
  return [...new Set(targets)].filter((target) => target !== file);
}

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Source by the import name of a library, e.g. `@airlock/config/testing`. */
export function loadEntryPoints(): Map<string, string> {
  return new Map(
    listFiles(/^(apps|libs)\/[^/]+\/package\.json$/).flatMap((path) => {
      const { name, exports = {} } = readJson<Manifest>(path);
      return Object.entries(exports).map(
        ([door, conditions]) =>
          [`${name}${door.slice(1)}`, join(dirname(path), conditions['@airlock/source'] ?? '')] as const,
      );
    }),
  );
}

/**
 * Groups of files that reach each other; each is a cycle, or several cycles that share files. Uses Tarjan's algorithm.
 */
export function findCycles(graph: ImportGraph): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    stack.push(file);
    let low = index;
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? order.get(next) ?? low);
      lowest.set(file, low);
    }
    if (low === index) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1) cycles.push(group);
    }
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return cycles;
}

/** The length of the longest chain of imports. Valid only for a graph without cycles. */
export function findLongestChain(graph: ImportGraph): string[] {
  const chains = new Map<string, readonly string[]>();
  const chainFrom = (file: string): readonly string[] => {
    const known = chains.get(file);
    if (known) return known;
    chains.set(file, [file]);
    const rest = (graph.get(file) ?? []).map(chainFrom).reduce(longer, []);
    const chain = [file, ...rest];
    chains.set(file, chain);
    return chain;
  };
  return [...[...graph.keys()].map(chainFrom).reduce(longer, [])];
}

function longer(one: readonly string[], other: readonly string[]): readonly string[] {
  return other.length > one.length ? other : one;
}

export interface TwoWay {
  readonly folders: readonly [string, string];
  /** An import for each direction, as `from → to`. */
  readonly imports: readonly [string, string];
}

/** Pairs of folders whose files import each other: neither can be read, moved or tested without the other. */
export function findTwoWayFolders(graph: ImportGraph): TwoWay[] {
  const ways = new Map<string, string>();
  for (const [file, targets] of graph) {
    for (const target of targets) {
      const [from, to] = [dirname(file), dirname(target)];
      if (from !== to) ways.set(`${from} ${to}`, `${file} → ${target}`);
    }
  }
  return [...ways].flatMap(([way, there]) => {
    const [from = '', to = ''] = way.split(' ');
    const back = ways.get(`${to} ${from}`);
    return back !== undefined && from < to ? [{ folders: [from, to], imports: [there, back] }] : [];
  });
}
