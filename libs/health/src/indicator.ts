import { HealthIndicatorService } from '@nestjs/terminus';
import type { Finding, Indicator } from './health.js';

export interface IndicatorOptions {
  /** The name of the component in responses. */
  readonly name: string;
  /** Checks the component. Rejects if it does not respond. */
  readonly run: () => Promise<unknown>;
  /** Without a required component the process gets no traffic. Without an optional one it is degraded and serves. */
  readonly isRequired: boolean;
  readonly timeoutMs: number;
  /** How long a result is cached for all callers. */
  readonly cacheMs: number;
  /** Failures in a row before a component that was up counts as down. One success makes it up again. */
  readonly failuresToGoDown: number;
  /** Additional figures for operators, such as the use of a pool. */
  readonly figures?: Indicator['figures'];
}

/**
 * An indicator of Terminus with its attempt, time limit and states. It adds three rules that replicas of a service
 * need: a single failure changes nothing, concurrent callers share one result, and no run starts while the previous one
 * hangs.
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
    // The reason that Terminus adds to a failure may contain addresses and names, so it is dropped here.
    const isUp = (await attempt)[name]?.status === 'up';
    failures = isUp ? 0 : failures + 1;
    const finding = judge({ latencyMs: isUp ? performance.now() - startedAt : timeoutMs });
    last = { finding, at: performance.now() };
    return finding;
  };

  const judge = (data: { latencyMs: number }): Finding => {
    if (failures < failuresToGoDown) return check.up(data);
    return isRequired ? check.down(data) : check.degraded(data);
  };

  return {
    ask: async () => {
      // Terminus's cache is not used, because it depends on the wall clock, which may be set back.
      if (last && performance.now() - last.at < cacheMs) return last.finding;
      asking ??= askOnce().finally(() => (asking = undefined));
      return asking;
    },
    ...(figures && { figures }),
  };
}

/** Rejects while the previous run has not ended, so that callers open no further connections. */
function runAlone(run: () => Promise<unknown>): () => Promise<void> {
  let isRunning = false;
  return async () => {
    if (isRunning) throw new Error('the previous run has not ended');
    isRunning = true;
    try {
      await run();
    } finally {
      isRunning = false;
    }
  };
}
