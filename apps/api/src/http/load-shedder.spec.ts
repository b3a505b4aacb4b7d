import { describe, expect, it, jest } from '@jest/globals';
import { LoadShedder } from './load-shedder.js';

const SAMPLE_MS = 500;

describe('LoadShedder', () => {
  it.each([
    ['nobody waits for a connection', 0, true],
    ['fifty wait for each connection', 500, true],
    ['one more waits', 501, false],
  ])('when %s', (_, waiting, isAdmitted) => {
    const shedder = new LoadShedder({ waiting: () => waiting, poolSize: 10 });
    expect(admits(shedder)).toBe(isAdmitted);
    shedder.close();
  });

  it('turns requests away after a stretch in which nothing else could run, with a time to come back', async () => {
    const shedder = new LoadShedder({ waiting: () => 0, poolSize: 10 });
    // The delay is measured by a timer of Node's own, which must have run once before it can be late.
    await new Promise((resolve) => setTimeout(resolve, 50));
    block(2_500);
    await waitUntil(() => !admits(shedder));
    expect(() => shedder.admit()).toThrow(
      expect.objectContaining({ code: 'overloaded', status: 503, headers: { 'retry-after': '1' } }),
    );
    await waitUntil(() => admits(shedder));
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
  for (const deadline = performance.now() + 20 * SAMPLE_MS; performance.now() < deadline;) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(isSo()).toBe(true);
}
