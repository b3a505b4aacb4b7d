import { describe, expect, it } from '@jest/globals';
import { HashSet, MOST_HASHES } from './hash-set.js';

/** Spread over all bits, and different for each number. */
const half = (number: number, factor: number) => Math.imul(number ^ (number >>> 15), factor) | 0;
const hashOf = (number: number) => [half(number, 0x9e3779b1), half(number, 0x85ebca6b)] as const;
const fill = (set: HashSet, count: number) => {
  for (let number = 1; number <= count; number += 1) set.add(...hashOf(number));
};
const countFound = (set: HashSet, from: number, to: number) => {
  let found = 0;
  for (let number = from; number <= to; number += 1) if (set.findFirst(...hashOf(number))) found += 1;
  return found;
};

describe('HashSet', () => {
  it('finds each hash once, and none that was not added', () => {
    const set = new HashSet();
    const count = 50_000;
    fill(set, count);
    fill(set, count);
    expect(countFound(set, count + 1, 2 * count)).toBe(0);
    expect(countFound(set, 1, count)).toBe(count);
    expect(countFound(set, 1, count)).toBe(0);
    set.clear();
    expect(countFound(set, 1, count)).toBe(0);
  });

  it('keeps all that fit, and of more a part that the hash chooses, wherever it occurs', () => {
    const set = new HashSet();
    const count = 2 * MOST_HASHES;
    fill(set, MOST_HASHES);
    expect(countFound(set, 1, MOST_HASHES)).toBe(MOST_HASHES);
    set.clear();
    fill(set, count);
    const found = countFound(set, 1, count);
    expect(found).toBeGreaterThan(count / 6);
    expect(found).toBeLessThanOrEqual(MOST_HASHES);
    set.clear();
    for (let number = count; number > 0; number -= 1) set.add(...hashOf(number));
    expect(countFound(set, 1, count)).toBe(found);
  });
});
