// The functions are arguments, because programs outside of Jest import this folder too.
import type { describe, it } from '@jest/globals';

/**
 * `it` or `describe` for tests that not every machine can run. Where they are skipped, their titles give the reason, and
 * the summary of the run lists them.
 *
 * @param reason such as `no psql on PATH`
 */
export function skipUnless<T extends typeof it | typeof describe>(isPossible: boolean, define: T, reason: string): T {
  if (isPossible) return define;
  const skip = define.skip as Define & { each: (...table: readonly unknown[]) => Define };
  const explain =
    (to: Define): Define =>
    (title, ...rest) =>
      to(`${title} (skipped: ${reason})`, ...rest);
  const each = (...table: readonly unknown[]) => explain(skip.each(...table));
  return Object.assign(explain(skip), { each }) as unknown as T;
}

type Define = (title: string, ...rest: readonly unknown[]) => void;
