import { describe, expect, it } from '@jest/globals';
import { findStumbles, phrases } from './language.js';
import { listJudged } from './judged-files.js';
import { readMarkdownProse, readSourceProse } from './prose.js';
import { readText } from './repository.js';

const judge = (text: string) => findStumbles(readMarkdownProse(text), text);

describe('plain English', () => {
  it('is the language of every document, message, comment and test title', () => {
    const stumbles = listJudged().flatMap(([path, read]) => {
      const text = readText(path);
      return findStumbles(read(text), text).map(
        ({ line, found, instead }) => `${path}:${line}: "${found}"; write: ${instead}`,
      );
    });
    expect(stumbles).toEqual([]);
  });

  it.each(phrases)('rejects "$bad"', ({ pattern, bad, good }) => {
    expect(bad).toMatch(pattern);
    expect(good).not.toMatch(pattern);
    expect(judge(`Fine.\n\n${bad}`)).toContainEqual(expect.objectContaining({ line: 3 }));
  });

  it('ignores code, and counts its lines', () => {
    expect(judge('```sh\nmend nobody\n```\n`mend`\nmend it')).toMatchObject([{ line: 5, found: 'mend' }]);
  });

  it('finds a phrase that continues in the next line, and every phrase of a line', () => {
    expect(judge('Each has a database of\nits own, and nobody\nor somebody fixes it.')).toMatchObject([
      { line: 2, found: 'of its own' },
      { line: 2, found: 'nobody' },
      { line: 3, found: 'somebody' },
    ]);
    expect(judge('It ends.\nWhat it was\n\nWhat it is')).toMatchObject([{ line: 2 }, { line: 4 }]);
  });

  it('reads only the comments and strings of a source', () => {
    const source = [
      'const mend = 1; // mend it',
      '/**',
      ' * An answer of nobody',
      ' */',
      "call(mend, 'What it is', `a ${mend} of nobody`);",
      'x(/nobody/);',
    ].join('\n');
    expect(findStumbles(readSourceProse(source), source)).toMatchObject([
      { line: 1, found: 'mend' },
      { line: 3, found: 'nobody' },
      { line: 5, found: 'What' },
      { line: 5, found: 'nobody' },
    ]);
  });
});
