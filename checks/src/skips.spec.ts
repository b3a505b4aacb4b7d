import { describe, expect, it } from '@jest/globals';
import { listFiles, readText } from './repository.js';

const HELPER = 'libs/config/src/testing/skip-unless.ts';
const SKIP = /\b(it|test|describe)(\.only|\.concurrent)?\.(skip|todo)\b|\bx(it|test|describe)\(/;

describe('a test that not every machine can run', () => {
  it('is skipped only by skipUnless, whose reason the summary of the run shows', () => {
    const others = listFiles(/\.(spec|fixture|suite)?\.?ts$/).filter(
      (path) => path !== HELPER && SKIP.test(readText(path)),
    );
    expect(others).toEqual([]);
  });
});
