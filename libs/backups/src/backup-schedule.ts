import { setTimeout as sleep } from 'node:timers/promises';

export interface Schedule {
  readonly backupEveryMs: number;
  readonly drillEveryMs: number;
}

/** When the newest backup was taken, and when a drill last proved one. Undefined: never. */
export interface Past {
  readonly takenAt: Date | undefined;
  readonly provedAt: Date | undefined;
  /** When this process last began a backup that it stored. */
  readonly storedAt?: Date | undefined;
  /** When this process last began a drill. */
  readonly drilledAt?: Date | undefined;
}

export interface ScheduledWork {
  readonly schedule: Schedule;
  readonly signal: AbortSignal;
  /** Asked before each decision, so that a restart neither repeats nor skips anything. */
  readonly loadPast: () => Promise<Past>;
  readonly backup: () => Promise<void>;
  readonly drill: () => Promise<void>;
  /** After a failure the work is tried again. */
  readonly onFailure: (error: unknown) => void;
}

const RETRY_MS = 15 * 60_000;
/** A drill fills the disk of the server with a second copy, also if it fails. */
const DRILL_RETRY_MS = 6 * 60 * 60_000;
const LONGEST_SLEEP_MS = 60 * 60_000;

/** Creates backups and proves them until the signal aborts. */
export async function runSchedule({
  schedule,
  signal,
  loadPast,
  backup,
  drill,
  onFailure,
}: ScheduledWork): Promise<void> {
  let storedAt: Date | undefined;
  let drilledAt: Date | undefined;
  while (!signal.aborted) {
    let waitMs: number;
    try {
      const next = chooseNext(schedule, { ...(await loadPast()), storedAt, drilledAt }, Date.now());
      waitMs = typeof next === 'number' ? next : 0;
      if (next === 'backup') {
        const begun = new Date();
        await backup();
        storedAt = begun;
      }
      if (next === 'drill') {
        drilledAt = new Date();
        await drill();
      }
    } catch (error) {
      if (signal.aborted) return;
      onFailure(error);
      waitMs = RETRY_MS;
    }
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns the work that is due, a backup first, or the time until there may be some */
export function chooseNext(
  { backupEveryMs, drillEveryMs }: Schedule,
  { takenAt, storedAt, provedAt, drilledAt }: Past,
  now: number,
): 'backup' | 'drill' | number {
  // By the clock of the server the newest backup may be one of the future, now and after this backup too.
  const backupMs = Math.max(dueIn(takenAt, backupEveryMs, now), dueIn(storedAt, backupEveryMs, now));
  const retryMs = dueIn(drilledAt, Math.min(drillEveryMs, DRILL_RETRY_MS), now);
  const drillMs = Math.max(dueIn(provedAt, drillEveryMs, now), retryMs);
  if (backupMs <= 0) return 'backup';
  if (drillMs <= 0) return 'drill';
  return Math.min(backupMs, drillMs, LONGEST_SLEEP_MS);
}

/** A time in the future, by a clock that was wrong, does not postpone anything. */
function dueIn(last: Date | undefined, everyMs: number, now: number): number {
  if (everyMs === Infinity) return Infinity;
  return last === undefined || last.getTime() > now ? 0 : last.getTime() + everyMs - now;
}
