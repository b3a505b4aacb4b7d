const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Every duration of a run. Tests shorten the waits and keep the order of the steps. */
export interface Timing {
  /** How long to wait for another runner to finish. */
  readonly lockWaitMs: number;
  readonly lockPollMs: number;
  readonly heartbeatMs: number;
  /** While a statement waits for its lock, every later statement waits too, which becomes an outage if it lasts. */
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** For statements that do not block reads and writes: building an index concurrently, validating a constraint. */
  readonly longStatementTimeoutMs: number;
  readonly attempts: number;
  readonly retryBaseMs: number;
  readonly retryCapMs: number;
}

export const DEFAULT_TIMING: Timing = {
  lockWaitMs: 10 * MINUTE,
  lockPollMs: 200,
  heartbeatMs: 500,
  lockTimeoutMs: 2 * SECOND,
  statementTimeoutMs: 30 * SECOND,
  longStatementTimeoutMs: 60 * MINUTE,
  attempts: 8,
  retryBaseMs: SECOND,
  retryCapMs: 30 * SECOND,
};
