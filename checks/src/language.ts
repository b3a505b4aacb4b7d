/** A phrase that readers stumble over, and its replacement. Patterns see a paragraph as one line. */
export interface Phrase {
  readonly pattern: RegExp;
  readonly instead: string;
  /** A line that contains the phrase; a spec checks that it is found. */
  readonly bad: string;
  /** A similar line without the phrase. */
  readonly good: string;
}

/** Where a sentence begins: a line, a list item, a heading, a table cell, or after the end of another sentence. */
const START = String.raw`(?:^\s*(?:[-*>]\s+|\d+\.\s+|#+\s+)?(?:\*\*)?|[.!?:]\s+(?:\*\*)?|\|\s*(?:\*\*)?)`;

export const phrases: readonly Phrase[] = [
  {
    pattern: /\bmend(s|ed|ing)?\b/i,
    instead: 'fix, repair, correct',
    bad: 'with the command that mends it',
    good: 'The command recommends and amends nothing.',
  },
  {
    pattern: /(?<!\bthere )\b(is|are|was|were) no (?!longer\b|more\b|less\b|later\b|earlier\b|newer\b|older\b)/i,
    instead: 'is not a …',
    bad: 'X is no name of a stack',
    good: 'There is no default, and it is no longer used.',
  },
  {
    pattern: /\b(no|some|any|every)body\b|\bwhoever\b|\bno one\b/i,
    instead: 'the user, process, caller or operator that is meant',
    bad: 'somebody else is at work',
    good: 'The body of the request is read.',
  },
  {
    pattern: new RegExp(`${START}What(ever)?\\s(?![^.]*\\?)`),
    instead: 'a noun: the subject first',
    bad: '- What writes to a database first compares words.',
    good: '- What is a canary?',
  },
  {
    pattern: /(?:^\s*(?:[-*]\s+|\d+\.\s+)?|[.!?:]\s+)Who\s(?![^.]*\?)/,
    instead: 'the user, process, caller or operator that is meant',
    bad: '- Who has no access is told.',
    good: '- Who verifies it?',
  },
  {
    pattern: /\b(that which|as for|the like|one's own)\b/i,
    instead: 'name the thing',
    bad: 'tables, columns and the like',
    good: 'Pages look like this.',
  },
  {
    pattern: /\bof (its|their|your|our) own\b(?!\s(?!(and|or|in|for|on|at|to|that|which|with|as|from|per)\b)\w)/i,
    instead: 'its own …',
    bad: 'a database of its own',
    good: 'the routers of its own project',
  },
  {
    pattern: /\b(is|are|was|were|be|been|being|half|goes|stays) away\b|\btakes? \S+ (and \S+ )?away\b/i,
    instead: 'unavailable, unreachable',
    bad: 'while the database is away',
    good: 'Throw it away.',
  },
  {
    pattern: /\b(is|are|was|were|been) back\b/i,
    instead: 'recovered, available again',
    bad: 'after Redis was back',
    good: 'Roll back to the earlier digest.',
  },
  {
    pattern: /\bg(i|a)ve(s|n)? up\b|\bgiving up\b/i,
    instead: 'stop, time out',
    bad: 'The request was given up at the time limit.',
    good: 'It gives upper bounds.',
  },
  {
    pattern: /\blets? (\S+ ){0,3}in\b(?! (the|a|an|which|production|staging|preview|testing|development)\b)/i,
    instead: 'accept, reject',
    bad: 'does not let "x" in',
    good: 'Lets the test run in the sandbox.',
  },
  {
    pattern: /\b(speaks? no|speaks? of|tells? of|told of|without a word|a word of)\b/i,
    instead: 'does not support; reports; silently',
    bad: 'speaks no TLS',
    good: 'It tells the user.',
  },
  {
    pattern: /\b(comes?|came) (to (its|an|their) end|of it)\b|\bto its end\b/i,
    instead: 'ends, finishes',
    bad: 'the deploy came to its end',
    good: 'It comes to the same digest.',
  },
  {
    pattern: /\banew\b/i,
    instead: 'again, new',
    bad: 'a folder made anew',
    good: 'a new folder',
  },
  {
    pattern: /\bshall\b/i,
    instead: 'must, will',
    bad: 'how many rows there shall be',
    good: 'a shallow copy',
  },
  {
    pattern: /\bsmall letters?\b/i,
    instead: 'lowercase letters',
    bad: '2 to 20 small letters',
    good: 'a small team',
  },
  {
    pattern: /\bsomething else than\b|\bexactly if\b|\bas good as\b/i,
    instead: 'non-zero, other than; only if; safe to repeat',
    bad: 'exits with something else than 0',
    good: 'It is something else.',
  },
  {
    pattern: /\b(three|their) words?\b|\bthe house\b/i,
    instead: 'the environment that each names; this workspace',
    bad: 'compares three words first',
    good: 'House rules in three lines.',
  },
  {
    pattern: /\b(for|by|to|from|with|of) who\b/i,
    instead: 'for users that …',
    bad: 'For who uses no key',
    good: 'The user for whom it was made.',
  },
  {
    pattern: /\b(set right|put right|in hand)\b/i,
    instead: 'correct; in progress',
    bad: 'It is put right by the next run',
    good: 'The next run corrects it',
  },
];

export interface Stumble {
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

/** @param prose as long as `text`, so that positions are the same in both */
export function findStumbles(prose: string, text = prose): Stumble[] {
  const found = phrases.flatMap(({ pattern, instead }) =>
    [...prose.matchAll(new RegExp(pattern, `gm${pattern.flags}`))].map((match) => {
      const phrase = match[0].trimEnd();
      return { end: match.index + phrase.length, found: phrase.trimStart(), instead };
    }),
  );
  return found.sort((a, b) => a.end - b.end).map(({ end, ...rest }) => ({ line: lineOf(text, end), ...rest }));
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
