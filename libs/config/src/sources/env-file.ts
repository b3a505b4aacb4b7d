import type { Violation } from '../values/config-error.js';

export interface ParsedEnvFile {
  readonly texts: ReadonlyMap<string, string>;
  readonly violations: readonly Violation[];
}

const SINGLE_QUOTES = 'put the value in single quotes, which every reader of the file treats alike';

/**
 * Parses the part of the .env format that Compose, dotenv, Node and shells read alike, and rejects all other lines,
 * because readers would interpret them differently. A byte order mark and CRLF line ends are removed.
 */
export function parseEnvFile(content: string, path: string): ParsedEnvFile {
  const texts = new Map<string, string>();
  const violations: Violation[] = [];
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const refuse = (problem: string, expected: string, fix: string) => {
      violations.push({ name: `${path}:${index + 1}`, problem, expected, fix });
    };
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, raw] = /^([A-Za-z_][A-Za-z0-9_]*)=(?!\s)(.*)$/.exec(line) ?? [];
    if (name === undefined || raw === undefined) {
      refuse(
        'is not a variable',
        'NAME=value without export and without spaces around =',
        'correct the line, or start it with #',
      );
      continue;
    }
    if (texts.has(name)) refuse(`sets ${name} again`, 'each name once', 'remove one of the two lines');
    const value = parseValue(raw.trimEnd());
    if (typeof value === 'string') texts.set(name, value);
    else refuse(`${name} ${value.problem}`, value.expected, value.fix);
  }
  return { texts, violations };
}

type Refusal = Omit<Violation, 'name'>;

function parseValue(raw: string): string | Refusal {
  const [, quote, inner = '', rest = ''] = /^(["'])(.*?)\1(.*)$/.exec(raw) ?? [];
  if (quote && !/^(\s+#.*)?$/.test(rest)) {
    return {
      problem: 'has text after its closing quote',
      expected: 'a comment or nothing there',
      fix: 'correct the quotes',
    };
  }
  if (!quote && /^["'`]/.test(raw)) {
    return {
      problem: 'has no closing quote',
      expected: 'a value on one line',
      fix: 'close the quote; give longer texts as NAME_FILE',
    };
  }
  const value = quote ? inner : cutComment(raw).trimEnd();
  if (inner.endsWith('\\')) {
    return {
      problem: 'ends in a backslash inside quotes',
      expected: 'another last character',
      fix: 'give the value as NAME_FILE',
    };
  }
  if (quote === "'") return value;
  if (value.includes('$'))
    return { problem: 'holds a $ that Compose replaces', expected: 'a literal value', fix: SINGLE_QUOTES };
  if (quote && value.includes('\\')) {
    return { problem: 'holds a backslash in double quotes', expected: 'a literal value', fix: SINGLE_QUOTES };
  }
  if (!quote && /[\s"'`#]/.test(value)) {
    return { problem: 'holds a space, a # or a quote', expected: 'a quoted value', fix: SINGLE_QUOTES };
  }
  return value;
}

/** A # starts a comment at the beginning or after white space. */
function cutComment(raw: string): string {
  for (let at = raw.indexOf('#'); at >= 0; at = raw.indexOf('#', at + 1)) {
    if (at === 0 || /\s/.test(raw.charAt(at - 1))) return raw.slice(0, at);
  }
  return raw;
}
