import { setTimeout as sleep } from 'node:timers/promises';
import { checks, type Check, type Expectation } from './checks.js';
import { createGet, type Get } from './create-get.js';

export interface Verdict {
  readonly fact: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly saw: string | undefined;
}

const POLL_MS = 500;

/** Runs every check that applies, each once. It waits only until the API is ready. */
export async function runChecks(expected: Expectation, waitMs: number): Promise<readonly Verdict[]> {
  const get = createGet(expected.url);
  await waitUntilReady(get, waitMs);
  const verdicts: Verdict[] = [];
  for (const check of checks) verdicts.push(await judge(check, get, expected));
  return verdicts;
}

async function judge({ fact, appliesTo, look }: Check, get: Get, expected: Expectation): Promise<Verdict> {
  if (appliesTo?.(expected) === false) return { fact, outcome: 'skipped', saw: undefined };
  try {
    await look(get, expected);
    return { fact, outcome: 'passed', saw: undefined };
  } catch (error) {
    return { fact, outcome: 'failed', saw: error instanceof Error ? error.message : String(error) };
  }
}

async function waitUntilReady(get: Get, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    const status = await get('/readyz').then(
      ({ status }) => status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(POLL_MS);
  }
}
