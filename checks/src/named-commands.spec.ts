import { beforeAll, describe, expect, it } from '@jest/globals';
import { createJudge, type Judge } from './command-line.js';
import { loadBlocks, parseCommands } from './document-blocks.js';
import { listFiles, readText } from './repository.js';

/** Positions of a command in a message or a comment: in backticks, or at the start of a text or line. */
const IN_SOURCES = /(?:`|^[\s*/#-]*|['"]\s*|\\n\s*)airlock ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/gm;
/** Suffixes that follow the name in marks of databases and in seed text. */
const NO_COMMANDS = ['testing', 'production', 'seed'];
const sources = listFiles(/^(apps|libs|tools|docker|bench)\/.*\.(ts|mjs|js|sql|sh)$/).filter(
  (path) => !/\.(spec|suite)\.ts$/.test(path),
);
const documents = listFiles(/\.md$/);

let judge: Judge;
beforeAll(async () => {
  judge = await createJudge();
});

/** @returns the problem of each command; a text may omit arguments */
function findUnknown(commands: readonly string[][]): string[] {
  return commands.flatMap((words) => {
    const problem = judge(words);
    return problem === undefined || /^error: (missing required argument|required option)/.test(problem)
      ? []
      : [`${words.join(' ')}: ${problem}`];
  });
}

describe('the commands that sources name', () => {
  it('exists', () => {
    const named = sources.map((path) => [path, findUnknown(findNamed(readText(path)))] as const);
    expect(named.filter(([, unknown]) => unknown.length > 0)).toEqual([]);
  });

  it('is caught by this check if it does not exist', () => {
    expect(findUnknown(findNamed("'  airlock doctor   # says', `airlock config explain PORT`"))).toEqual([
      "airlock doctor: error: unknown command 'doctor'",
      "airlock config explain: error: unknown command 'explain'",
    ]);
  });

  /** A text may name a group of commands without a subcommand, or a command followed by another word. */
  function findNamed(text: string): string[][] {
    const GROUPS = ['config', 'db', 'jobs', 'new', 'secret', 'preview', 'storage'];
    return [...text.matchAll(IN_SOURCES)].flatMap(([, noun = '', verb]) => {
      if (NO_COMMANDS.includes(noun)) return [];
      if (!GROUPS.includes(noun)) return [['airlock', noun]];
      return verb === undefined ? [] : [['airlock', noun, verb]];
    });
  }
});

describe.each(documents)('%s', (path) => {
  it('names only commands that exist', () => {
    const blocks = loadBlocks(path)
      .filter(({ kind }) => kind !== 'sql')
      .flatMap(({ text }) => parseCommands(text));
    const inline = [...readText(path).matchAll(/`((?:airlock|nx) [^`<…\n]+)`/g)].map(
      ([, text = '']) => parseCommands(text)[0] ?? [],
    );
    const ours = [...blocks, ...inline].filter(([program]) => program === 'airlock' || program === 'nx');
    expect(findUnknown(ours)).toEqual([]);
  });
});
