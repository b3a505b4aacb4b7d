import { DEFAULT_TIMING, type Timing } from '../runner/timing.js';

const SECOND = 1_000;
const MEGABYTE = 1024 * 1024;

/** Every limit of a run. Tests shorten the waits and keep the order of the steps. */
export interface Limits extends Timing {
  readonly firstBatchRows: number;
  readonly largestBatchRows: number;
  /** Batches grow and shrink towards this duration. */
  readonly batchMs: number;
  /** A replica that is further behind, in time or in bytes, pauses the run. */
  readonly maxLagMs: number;
  readonly maxLagBytes: number;
  /** Between two looks at what the run pauses for. */
  readonly pausePollMs: number;
  /** The first pause after a batch that other sessions waited for; it doubles with each such batch. */
  readonly yieldMs: number;
  readonly progressMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  ...DEFAULT_TIMING,
  // Another run is not waited for.
  lockWaitMs: 0,
  heartbeatMs: 100,
  // A batch that waits keeps the rows that it has changed locked.
  lockTimeoutMs: SECOND,
  statementTimeoutMs: 10 * SECOND,
  firstBatchRows: 100,
  largestBatchRows: 50_000,
  batchMs: SECOND / 2,
  maxLagMs: 10 * SECOND,
  maxLagBytes: 256 * MEGABYTE,
  pausePollMs: SECOND,
  yieldMs: SECOND / 4,
  progressMs: 2 * SECOND,
};

/** At most twice as large as the batch before: a duration is a guess about the next rows. */
export function nextBatchRows(rows: number, durationMs: number, { batchMs, largestBatchRows }: Limits): number {
  const factor = Math.min(2, Math.max(0.5, batchMs / Math.max(durationMs, 1)));
  return Math.max(1, Math.min(largestBatchRows, Math.round(rows * factor)));
}
