import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse as parseDotenv } from 'dotenv';
import fc from 'fast-check';
import { parseEnvFile } from './env-file.js';

describe('parseEnvFile', () => {
  it.each([
    ['a plain value', 'A=b', { A: 'b' }],
    ['CRLF line ends', 'A=b\r\nC=d\r\n', { A: 'b', C: 'd' }],
    ['a byte order mark', '\uFEFFA=b', { A: 'b' }],
    ['single quotes', `A='b $c "d" \\n #e'`, { A: 'b $c "d" \\n #e' }],
    ['double quotes', `A="b 'c' #d"`, { A: "b 'c' #d" }],
    ['comments and blank lines', '# x\n\n  # y\nA=b # z\n', { A: 'b' }],
    ['an = inside a value', 'A=b=c==', { A: 'b=c==' }],
    ['an empty value', 'A=', { A: '' }],
    ['trailing spaces', 'A=b  \n', { A: 'b' }],
    ['quotes with a comment behind', `A='b' # c`, { A: 'b' }],
  ])('reads %s', (_, content, expected) => {
    const { texts, violations } = parseEnvFile(content, '.env');
    expect(violations).toEqual([]);
    expect(Object.fromEntries(texts)).toEqual(expected);
  });

  it.each([
    ['A', 'is not a variable'],
    ['A = b', 'is not a variable'],
    ['1A=b', 'is not a variable'],
    ['A.B=c', 'is not a variable'],
    ['A= b', 'is not a variable'],
    ['A= ', 'is not a variable'],
    ['A= # b', 'is not a variable'],
    ['export A=b', 'is not a variable'],
    ["A='b\\\\'", 'A ends in a backslash inside quotes'],
    ['A: b', 'is not a variable'],
    ['A="b', 'A has no closing quote'],
    ["A='b", 'A has no closing quote'],
    ['A=`b`', 'A has no closing quote'],
    ["A='b'c", 'A has text after its closing quote'],
    ['A=b$c', 'A holds a $ that Compose replaces'],
    ['A="${B}"', 'A holds a $ that Compose replaces'],
    ['A="b\\n"', 'A holds a backslash in double quotes'],
    ['A=b c', 'A holds a space, a # or a quote'],
    ['A=b#c', 'A holds a space, a # or a quote'],
    ['A=b"c', 'A holds a space, a # or a quote'],
    ['A=b\nA=b', 'sets A again'],
  ])('refuses %j', (content, problem) => {
    const { violations } = parseEnvFile(content, '.env');
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ name: `.env:${content.split('\n').length}`, problem });
  });

  it('reads what it accepts as dotenv and Node do', () => {
    fc.assert(
      fc.property(lines, (content) => {
        const { texts, violations } = parseEnvFile(content, '.env');
        fc.pre(violations.length === 0);
        expect(Object.fromEntries(texts)).toEqual(parseDotenv(content));
        expect(Object.fromEntries(texts)).toEqual({ ...parseEnv(content) });
      }),
      { numRuns: 1_000 },
    );
  });

  it('is linear in the length of a hostile line', () => {
    const content = `A=${' '.repeat(200_000)}"${'\\'.repeat(10_000)}`;
    const startedAt = process.hrtime.bigint();
    parseEnvFile(content, '.env');
    expect(Number(process.hrtime.bigint() - startedAt) / 1e6).toBeLessThan(2_000);
  });

  it('never repeats a value', () => {
    const { violations } = parseEnvFile("A=canary$x\nB=\"canary\nC=can ary\nD='canary'canary\ncanary\n", '.env');
    expect(violations).toHaveLength(5);
    expect(JSON.stringify(violations)).not.toContain('canary');
  });
});

const value = fc.oneof(
  fc.stringMatching(/^[a-z0-9:/@.=#-]{0,12}$/),
  fc.stringMatching(/^'[a-z $"#\\]{0,8}'$/),
  fc.stringMatching(/^"[a-z '#]{0,8}"$/),
  fc.stringMatching(/^[a-z'"# $\\]{0,8}$/),
);
const lines = fc
  .array(fc.tuple(fc.constantFrom('A', 'B_C', 'D', 'export E', 'F'), value), { maxLength: 4 })
  .chain((entries) =>
    fc.constantFrom('\n', '\r\n').map((end) => entries.map(([name, text]) => `${name}=${text}${end}`).join('')),
  );
