import { afterAll, beforeEach, it } from '@jest/globals';

/** Declares a test whose run starts together with those of all others that are declared so. */
export type ItTogether = (title: string, run: () => Promise<void>) => void;

/**
 * An `it` for tests that mostly wait, and that share nothing which one of them changes. All of them run at once, `limit`
 * at a time, as soon as the hooks of the block have run; each reports its own result. Call it above the other hooks.
 * `timeoutMs` bounds a run: the test that waits for it gets as much for each run that had to end before it could start.
 */
export function useTogether({ limit = Infinity, timeoutMs = 60_000 } = {}): ItTogether {
  const waiting: (() => void)[] = [];
  const results: Promise<void>[] = [];
  let isStarted = false;
  beforeEach(() => {
    if (!isStarted) for (const start of waiting.splice(0, limit)) start();
    isStarted = true;
  });
  // What they use is closed by the hooks below: also when only one of them was selected, all have to end first.
  afterAll(async () => void (await Promise.allSettled(results)));
  return (title, run) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A run that fails before its test begins would count as an unhandled rejection.
    promise.catch(() => undefined);
    results.push(promise);
    waiting.push(
      () =>
        void run()
          .then(resolve, reject)
          .finally(() => waiting.shift()?.()),
    );
    const turnsBefore = Math.floor((waiting.length - 1) / limit);
    it(title, () => promise, timeoutMs * (turnsBefore + 1));
  };
}
