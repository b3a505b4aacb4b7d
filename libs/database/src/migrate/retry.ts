import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { MigrationError } from '../model/migration-error.js';
import type { Timing } from '../runner/timing.js';

/** Temporary: the session of a killed runner lives until the server notices that its client has gone. */
export class RetryLater extends MigrationError {}

/** The two failures that a retry can resolve. */
const RETRIABLE = new Map([
  ['55P03', 'lock timeout'],
  ['40P01', 'deadlock'],
]);

export interface Retry {
  readonly attempt: number;
  readonly pauseMs: number;
  readonly reason: string;
}

/** Repeats whole transactions. Nothing is locked between two attempts, so the queue behind the lock drains. */
export async function withRetries<T>(
  { attempts, retryBaseMs, retryCapMs }: Timing,
  { signal, onRetry }: { signal?: AbortSignal | undefined; onRetry: (retry: Retry) => void },
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const reason = findReason(error);
      if (reason === undefined || attempt >= attempts) throw error;
      const ceilingMs = Math.min(retryCapMs, retryBaseMs * 2 ** (attempt - 1));
      const pauseMs = Math.round(ceilingMs / 2 + (Math.random() * ceilingMs) / 2);
      onRetry({ attempt, pauseMs, reason });
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

function findReason(error: unknown): string | undefined {
  if (error instanceof RetryLater) return 'index build elsewhere';
  const database = error instanceof Error && error.cause instanceof pg.DatabaseError ? error.cause : error;
  return database instanceof pg.DatabaseError ? RETRIABLE.get(database.code ?? '') : undefined;
}
