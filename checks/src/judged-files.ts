import { readMarkdownProse, readScriptProse, readSourceProse } from './prose.js';
import { listFiles } from './repository.js';

type Read = (text: string) => string;

/** The files whose language is checked, and how their prose is read. */
const JUDGED: readonly (readonly [files: RegExp, read: Read])[] = [
  [/\.md$/, readMarkdownProse],
  [/\.(ts|mjs)$/, readSourceProse],
  [
    /\.(ya?ml|sh|env|example|cfg|sql)$|Dockerfile$|^Makefile$|^docker\/[a-z-]+$|^\.ci\/|^\.github\/|^\.husky\//,
    readScriptProse,
  ],
];

/** CHANGELOG.md is history, some documents copy their sentences from sources, and two sources list the phrases. */
const EXEMPT = [
  /^CHANGELOG\.md$/,
  /^docs\/configuration\.md$/,
  /^docs\/errors\//,
  /^docs\/runbooks\/refused-tokens\.md$/,
  /^checks\/src\/language(\.spec)?\.ts$/,
];

/** Paths with the function that reads their prose. */
export function listJudged(): [path: string, read: Read][] {
  return JUDGED.flatMap(([files, read]) =>
    listFiles(files)
      .filter((path) => !EXEMPT.some((pattern) => pattern.test(path)))
      .map((path): [string, Read] => [path, read]),
  );
}
