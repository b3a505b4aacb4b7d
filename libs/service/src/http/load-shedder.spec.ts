import { describe, expect, it, jest } from '@jest/globals';
import { LoadShedder } from './load-shedder.js';

describe('LoadShedder', () => {
  it.each([
    ['no request waits for a connection', 0, true],
    ['fifty requests wait for each connection', 500, true],
    ['one more request waits', 501, false],
  ])('when %s', (_, waiting, isAdmitted) => {
    const shedder = new LoadShedder({ waiting: () => waiting, poolSize: 10 });
    expect(admits(shedder)).toBe(isAdmitted);
    shedder.close();
  });

  it('rejects requests with a retry time while the event loop is blocked repeatedly', async () => {
    const shedder = new LoadShedder({ waiting: () => 0, poolSize: 10 });
    for (let round = 0; round < 20 && admits(shedder); round += 1) {
      block(500);
      await new Promise(setImmediate);
    }
    expect(() => shedder.admit()).toThrow(
      expect.objectContaining({ code: 'overloaded', status: 503, headers: { 'retry-after': '1' } }),
    );
    await waitUntil(() => admits(shedder));
    shedder.close();
  });

  it('takes another limit', async () => {
    const shedder = new LoadShedder({ waiting: () => 0, poolSize: 10, maxDelayMs: Infinity });
    for (let round = 0; round < 6; round += 1) {
      block(500);
      await new Promise(setImmediate);
    }
    expect(admits(shedder)).toBe(true);
    shedder.close();
  });

  it('rejects no request after a single delay', async () => {
    const shedder = new LoadShedder({ waiting: () => 0, poolSize: 10 });
    block(2_500);
    // When this later timer has run, the late timer has run too.
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(admits(shedder)).toBe(true);
    shedder.close();
  });
});

jest.setTimeout(60_000);

function admits(shedder: LoadShedder): boolean {
  try {
    shedder.admit();
    return true;
  } catch {
    return false;
  }
}

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline;) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(isSo()).toBe(true);
}
