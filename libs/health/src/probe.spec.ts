import { describe, expect, it } from '@jest/globals';
import { createProbe } from './probe.js';

const always = { timeoutMs: 1_000, cacheMs: 0, failuresToGoDown: 3 };

describe('createProbe', () => {
  it('is down until the first success', async () => {
    const probe = createProbe({ ...always, run: () => Promise.reject(new Error('refused')) });
    expect(await probe()).toMatchObject({ isUp: false });
  });

  it('goes down at the third failure in a row and returns at the first success', async () => {
    const answers = [true, false, false, false, true];
    const probe = createProbe({
      ...always,
      run: () => (answers.shift() ? Promise.resolve() : Promise.reject(new Error())),
    });
    const seen = [];
    while (answers.length > 0) seen.push((await probe()).isUp);
    expect(seen).toEqual([true, true, true, false, true]);
  });

  it('asks once for all callers that come while it asks', async () => {
    let runs = 0;
    const probe = createProbe({ ...always, run: () => Promise.resolve(runs++) });
    await Promise.all(Array.from({ length: 51 }, () => probe()));
    expect(runs).toBe(1);
  });

  it('serves one answer for as long as it is cached', async () => {
    let runs = 0;
    const probe = createProbe({ ...always, cacheMs: 60_000, run: () => Promise.resolve(runs++) });
    await probe();
    await probe();
    expect(runs).toBe(1);
  });

  it('counts a hanging run as failures and starts no other one', async () => {
    let runs = 0;
    let answer = () => {};
    const hanging = () => new Promise<void>((resolve) => ((runs += 1), (answer = resolve)));
    const probe = createProbe({ ...always, timeoutMs: 5, run: hanging });
    expect([(await probe()).isUp, (await probe()).isUp, (await probe()).isUp]).toEqual([false, false, false]);
    expect(runs).toBe(1);
    answer();
    await new Promise(setImmediate);
    void probe();
    expect(runs).toBe(2);
    answer();
  });
});
