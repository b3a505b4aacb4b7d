import { afterAll, beforeEach, it } from '@jest/globals';

/** Declares a test that runs concurrently with all other tests declared by the same function. */
export type ItTogether = (title: string, run: () => Promise<void>) => void;

/**
 * An `it` for tests that mostly wait and change no shared state. They run concurrently, at most `limit` at a time,
 * after the hooks of the block have run. Each reports its own result. Call this above the other hooks. `timeoutMs`
 * limits each run; the timeout of a test also covers the runs that must end before its own can start.
 */
export function useTogether({ limit = Infinity, timeoutMs = 60_000 } = {}): ItTogether {
  const waiting: (() => void)[] = [];
  const results: Promise<void>[] = [];
  let isStarted = false;
  beforeEach(() => {
    if (!isStarted) for (const start of waiting.splice(0, limit)) start();
    isStarted = true;
  });
  // All runs must end before later hooks close their resources, even if only one test was selected.
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
