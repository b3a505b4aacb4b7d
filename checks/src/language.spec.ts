import { describe, expect, it } from '@jest/globals';
import { findStumbles, phrases, readMarkdown } from './language.js';
import { listFiles, readText } from './repository.js';

/** The files that are judged, and what of them is prose. Strings and comments of sources would be further entries. */
const JUDGED: readonly (readonly [files: RegExp, read: (text: string) => string])[] = [[/\.md$/, readMarkdown]];
/** CHANGELOG.md is history, and the others take their sentences from sources. */
const EXEMPT = [
  /^CHANGELOG\.md$/,
  /^docs\/configuration\.md$/,
  /^docs\/errors\//,
  /^docs\/runbooks\/refused-tokens\.md$/,
];

const judged = JUDGED.flatMap(([files, read]) =>
  listFiles(files)
    .filter((path) => !EXEMPT.some((pattern) => pattern.test(path)))
    .map((path) => [path, read] as const),
);
const judge = (text: string) => findStumbles(readMarkdown(text), text);

describe('plain English', () => {
  it.each(judged)('is the language of %s', (path, read) => {
    const text = readText(path);
    const stumbles = findStumbles(read(text), text);
    expect(stumbles.map(({ line, found, instead }) => `${path}:${line}: "${found}"; write: ${instead}`)).toEqual([]);
  });

  it.each(phrases)('rejects "$bad"', ({ pattern, bad, good }) => {
    expect(bad).toMatch(pattern);
    expect(good).not.toMatch(pattern);
    expect(judge(`Fine.\n\n${bad}`)).toContainEqual(expect.objectContaining({ line: 3 }));
  });

  it('leaves code alone, and counts its lines', () => {
    expect(judge('```sh\nmend nobody\n```\n`mend`\nmend it')).toMatchObject([{ line: 5, found: 'mend' }]);
  });

  it('sees a phrase that goes on in the next line, and every one of a line', () => {
    expect(judge('Each has a database of\nits own, and nobody\nor somebody fixes it.')).toMatchObject([
      { line: 2, found: 'of its own' },
      { line: 2, found: 'nobody' },
      { line: 3, found: 'somebody' },
    ]);
    expect(judge('It ends.\nWhat it was\n\nWhat it is')).toMatchObject([{ line: 2 }, { line: 4 }]);
  });
});
