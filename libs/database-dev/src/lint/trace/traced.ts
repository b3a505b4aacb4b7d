import type { StatementTrace } from './statement-trace.js';

/** The effects of one statement, with the context that its judges need. */
export interface Traced {
  readonly trace: StatementTrace;
  /** Rules that the syntax of the statement breaks. */
  readonly said: readonly string[];
  /** Locks of this statement and of those before it. */
  readonly heldTables: StatementTrace['locks'];
}

export const EXCLUSIVE = 'AccessExclusiveLock';
export const BLOCKS_WRITES = new Set([EXCLUSIVE, 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock']);
