import { describe, expect, it } from '@jest/globals';
import { findUserIdProblem } from './user-id.js';

describe('findUserIdProblem', () => {
  it.each(['user_ada', 'auth0|José da Silva', 'user_\u{1fad6}', 'x', 'x'.repeat(255)])('accepts %j', (text) => {
    expect(findUserIdProblem(text)).toBeUndefined();
  });

  it.each([
    ['too long', 'x'.repeat(256)],
    ['too long', '\u{1fad6}'.repeat(128)],
    ['malformed', 'user\u00001'],
    ['malformed', 'user\u0085'],
    ['malformed', 'user\u20281'],
    ['malformed', 'user_\ud800'],
    ['malformed', 'user_\ufdd0'],
    ['malformed', ' user_1'],
    ['malformed', 'user_1\u00a0'],
  ])('calls %s: %j', (problem, text) => {
    expect(findUserIdProblem(text)).toBe(problem);
  });
});
