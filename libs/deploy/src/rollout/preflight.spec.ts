import { describe, expect, it } from '@jest/globals';
import { parseAnswer } from './preflight.js';

const question = {
  command: 'airlock db migrate --plan',
  isAnswer: ({ pending }: { pending?: unknown[] }) => Array.isArray(pending),
};
const result = (change: object) => ({ exitCode: 0, stdout: '', stderr: '', error: '', ...change });

describe('parseAnswer', () => {
  it('takes what was asked for', () => {
    expect(parseAnswer(result({ stdout: '{"pending":[]}\n' }), question)).toEqual({ pending: [] });
  });

  it.each([
    ['nothing', {}],
    ['words', { stdout: 'OK\n' }],
    ['half of it', { stdout: '{"pending":[{"na' }],
    ['something else', { stdout: '{}\n' }],
    ['null', { stdout: 'null\n' }],
    ['a number', { stdout: '42\n' }],
    ['that it does not know the command', { exitCode: 127, stderr: 'airlock: not found\n' }],
    ['nothing, because it never started', { exitCode: 1, error: 'No such image' }],
  ])('refuses an image that answers %s', (_what, change) => {
    expect(() => parseAnswer(result(change), question)).toThrow(
      /^airlock db migrate --plan: exit \d+: [\s\S]*; expected its answer as JSON\n {2}nothing was changed/,
    );
  });
});
