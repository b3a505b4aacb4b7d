import { setTimeout as sleep } from 'node:timers/promises';

export interface ProbeOptions {
  /** Asks the component; rejects where it does not answer. */
  readonly run: () => Promise<unknown>;
  readonly timeoutMs: number;
  /** How long one answer serves every caller. */
  readonly cacheMs: number;
  /** Failures in a row before a component that was up counts as down. One success brings it back. */
  readonly failuresToGoDown: number;
}

export interface ProbeResult {
  readonly isUp: boolean;
  /** Of the last answer; the timeout where there was none. */
  readonly latencyMs: number;
}

export type Probe = () => Promise<ProbeResult>;

/**
 * Asks a component without ever piling up on it. A run that hangs past its timeout stays the only one: the questions
 * that come meanwhile count as failures and open nothing new.
 */
export function createProbe(options: ProbeOptions): Probe {
  let failures = options.failuresToGoDown;
  let isRunning = false;
  let last: { result: ProbeResult; at: number } | undefined;
  let asking: Promise<ProbeResult> | undefined;

  const ask = async (): Promise<ProbeResult> => {
    const startedAt = performance.now();
    const isAnswered = isRunning ? false : await answersInTime();
    failures = isAnswered ? 0 : failures + 1;
    const latencyMs = isAnswered ? performance.now() - startedAt : options.timeoutMs;
    const result = { isUp: failures < options.failuresToGoDown, latencyMs };
    last = { result, at: performance.now() };
    return result;
  };

  const answersInTime = async (): Promise<boolean> => {
    isRunning = true;
    const answer = runSafely(options.run).finally(() => (isRunning = false));
    const timer = new AbortController();
    const late = sleep(options.timeoutMs, false, { signal: timer.signal, ref: false }).catch(() => false);
    return Promise.race([answer, late]).finally(() => timer.abort());
  };

  return async () => {
    if (last && performance.now() - last.at < options.cacheMs) return last.result;
    asking ??= ask().finally(() => (asking = undefined));
    return asking;
  };
}

/** The reason of a failure may hold addresses and names: it ends here. */
async function runSafely(run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch {
    return false;
  }
}
