import { describe, expect, it } from '@jest/globals';
import { assertBudget } from './budget.js';

const budget = { drainMs: 5_000, requestMs: 25_000, teardownMs: 5_000, graceMs: 45_000 };

describe('assertBudget', () => {
  it('accepts parts that fit', () => {
    expect(() => assertBudget(budget, 25_000)).not.toThrow();
  });

  it('rejects a grace period that is shorter than the parts', () => {
    expect(() => assertBudget({ ...budget, graceMs: 39_999 }, 25_000)).toThrow(
      'SHUTDOWN_GRACE: is 39999 ms; expected at least 40000 ms: drain, requests, teardown and 5000 ms',
    );
  });

  it('rejects a request timeout that is longer than SHUTDOWN_REQUESTS', () => {
    expect(() => assertBudget(budget, 30_000)).toThrow(
      'SHUTDOWN_REQUESTS: is 25000 ms; expected at least REQUEST_TIMEOUT',
    );
  });
});
