import { describe, expect, it, jest } from '@jest/globals';
import { skipUnless } from './skip-unless.js';

describe(skipUnless.name, () => {
  const skip = Object.assign(jest.fn(), { each: jest.fn<(...table: unknown[]) => unknown>() });
  skip.each.mockReturnValue(skip);
  const define = Object.assign(jest.fn(), { skip }) as unknown as typeof it;

  it('defines the test as it is where it is possible', () => {
    expect(skipUnless(true, define, 'no psql')).toBe(define);
  });

  it('skips it with the reason in its title otherwise, also for each line of a table', () => {
    const body = () => undefined;
    skipUnless(false, define, 'no psql')('reads', body, 5);
    expect(skip).toHaveBeenLastCalledWith('reads (skipped: no psql)', body, 5);
    skipUnless(false, define, 'no psql').each([1, 2])('reads %i', body);
    expect(skip.each).toHaveBeenLastCalledWith([1, 2]);
    expect(skip).toHaveBeenLastCalledWith('reads %i (skipped: no psql)', body);
  });
});
