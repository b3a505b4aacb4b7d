import { describe, expect, it } from '@jest/globals';
import type { Indicator } from './health.js';
import { createIndicator } from './indicator.js';

const always = { name: 'database', isRequired: true, timeoutMs: 1_000, cacheMs: 0, failuresToGoDown: 3 };
const statusOf = async ({ ask }: Indicator) => (await ask())['database']?.status;

describe('createIndicator', () => {
  it.each([
    [true, 'down'],
    [false, 'degraded'],
  ])('is, if required is %s, until the first success %s', async (isRequired, status) => {
    const indicator = createIndicator({ ...always, isRequired, run: () => Promise.reject(new Error('refused')) });
    expect(await statusOf(indicator)).toBe(status);
  });

  it('goes down at the third failure in a row and returns at the first success', async () => {
    const answers = [true, false, false, false, true];
    const indicator = createIndicator({
      ...always,
      run: () => (answers.shift() ? Promise.resolve() : Promise.reject(new Error())),
    });
    const seen = [];
    while (answers.length > 0) seen.push(await statusOf(indicator));
    expect(seen).toEqual(['up', 'up', 'up', 'down', 'up']);
  });

  it('reports only a state and a latency, and no message of the component', async () => {
    const answers = [
      () => Promise.resolve({ status: 'down', responseTime: 1, message: 'at 10.0.3.7' }),
      () => Promise.reject(new Error('password for acme at 10.0.3.7')),
    ];
    const run = () => answers.shift()?.() ?? Promise.resolve();
    const indicator = createIndicator({ ...always, failuresToGoDown: 1, run });
    expect(await indicator.ask()).toEqual({ database: { status: 'up', latencyMs: expect.any(Number) } });
    expect(await indicator.ask()).toEqual({ database: { status: 'down', latencyMs: 1_000 } });
  });

  it('checks once for concurrent callers', async () => {
    let runs = 0;
    const { ask } = createIndicator({ ...always, run: () => Promise.resolve(runs++) });
    await Promise.all(Array.from({ length: 51 }, () => ask()));
    expect(runs).toBe(1);
  });

  it('returns the cached result until it expires', async () => {
    let runs = 0;
    const { ask } = createIndicator({ ...always, cacheMs: 60_000, run: () => Promise.resolve(runs++) });
    await ask();
    await ask();
    expect(runs).toBe(1);
  });

  it('counts a hanging run as failures and starts no second one', async () => {
    let runs = 0;
    let answer = () => {};
    const hanging = () => new Promise<void>((resolve) => ((runs += 1), (answer = resolve)));
    const indicator = createIndicator({ ...always, failuresToGoDown: 1, timeoutMs: 5, run: hanging });
    expect([await statusOf(indicator), await statusOf(indicator)]).toEqual(['down', 'down']);
    expect(runs).toBe(1);
    answer();
    await new Promise(setImmediate);
    void indicator.ask();
    await new Promise(setImmediate);
    expect(runs).toBe(2);
    answer();
  });
});
