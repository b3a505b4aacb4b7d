import { HealthIndicatorService } from '@nestjs/terminus';
import type { Finding, Indicator } from './health.js';

export interface IndicatorOptions {
  /** The component, as the answers name it. */
  readonly name: string;
  /** Asks the component; rejects where it does not answer. */
  readonly run: () => Promise<unknown>;
  /** A required component takes the process out of traffic; without an optional one it serves on, degraded. */
  readonly isRequired: boolean;
  readonly timeoutMs: number;
  /** How long one answer serves every caller. */
  readonly cacheMs: number;
  /** Failures in a row before a component that was up counts as missing. One success brings it back. */
  readonly failuresToGoDown: number;
  /** Further figures for people, such as the use of a pool. */
  readonly figures?: Indicator['figures'];
}

/**
 * An indicator of Terminus: its attempt, its time limit, its words. Around it, what all replicas of a service need: one
 * slow answer changes nothing, an answer serves whoever asks meanwhile, and a run that hangs stays the only one.
 */
export function createIndicator(options: IndicatorOptions): Indicator {
  const { name, run, isRequired, timeoutMs, cacheMs, failuresToGoDown, figures } = options;
  const check = new HealthIndicatorService().check(name);
  const attempt = check.attempt(runAlone(run)).withTimeout(timeoutMs);
  let failures = failuresToGoDown;
  let last: { finding: Finding; at: number } | undefined;
  let asking: Promise<Finding> | undefined;

  const askOnce = async (): Promise<Finding> => {
    const startedAt = performance.now();
    // The reason of a failure, which Terminus puts beside the word, may hold addresses and names: it ends here.
    const isAnswered = (await attempt)[name]?.status === 'up';
    failures = isAnswered ? 0 : failures + 1;
    const finding = judge({ latencyMs: isAnswered ? performance.now() - startedAt : timeoutMs });
    last = { finding, at: performance.now() };
    return finding;
  };

  const judge = (data: { latencyMs: number }): Finding => {
    if (failures < failuresToGoDown) return check.up(data);
    return isRequired ? check.down(data) : check.degraded(data);
  };

  return {
    ask: async () => {
      // Not Terminus's cache: it goes by the wall clock, which may be set back while a component goes down.
      if (last && performance.now() - last.at < cacheMs) return last.finding;
      asking ??= askOnce().finally(() => (asking = undefined));
      return asking;
    },
    ...(figures && { figures }),
  };
}

/** Fails while the run before has no answer: the questions that come meanwhile open nothing new. */
function runAlone(run: () => Promise<unknown>): () => Promise<void> {
  let isRunning = false;
  return async () => {
    if (isRunning) throw new Error('the run before has not ended');
    isRunning = true;
    try {
      await run();
    } finally {
      isRunning = false;
    }
  };
}
