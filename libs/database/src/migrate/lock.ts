import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { MigrationError } from './migration.js';

/** Advisory locks belong to one database; the numbers spell "airlock". */
const LOCK = [0x6169726c, 0x6f636b] as const;

export interface LockOptions {
  readonly waitMs: number;
  readonly pollMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called while somebody else holds the lock, once for each holder. */
  readonly onWaiting?: ((holder: LockHolder) => void) | undefined;
}

export interface LockHolder {
  readonly pid: number;
  readonly application: string;
  readonly address: string;
  readonly since: Date;
}

export interface MigrationLock {
  /** @throws MigrationError if the session that holds the lock is gone: another runner may then be at work. */
  assertHeld(): Promise<void>;
}

/**
 * Polls, for a blocking wait would keep a snapshot open, and CREATE INDEX CONCURRENTLY waits for every old snapshot: the
 * waiting runner and the running one would block each other for ever.
 */
export async function withMigrationLock<T>(
  session: Client,
  options: LockOptions,
  work: (lock: MigrationLock) => Promise<T>,
): Promise<T> {
  await acquireLock(session, options);
  try {
    return await work({ assertHeld: () => assertHeld(session) });
  } finally {
    await session.query('SELECT pg_advisory_unlock($1, $2)', [...LOCK]).catch(() => {});
  }
}

async function acquireLock(session: Client, { waitMs, pollMs, signal, onWaiting }: LockOptions): Promise<void> {
  const deadline = performance.now() + waitMs;
  let reported: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const { rows } = await session.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [...LOCK]);
    if (rows[0]?.got) return;
    const holder = await findHolder(session);
    if (holder && holder.pid !== reported) onWaiting?.(holder);
    reported = holder?.pid ?? reported;
    if (performance.now() > deadline) throw new MigrationError(describeTimeout(waitMs, holder));
    await sleep(pollMs * (0.75 + Math.random() / 2));
  }
}

function describeTimeout(waitMs: number, holder: LockHolder | undefined): string {
  const who = holder
    ? `pid ${holder.pid} (${holder.application} from ${holder.address}, since ${holder.since.toISOString()})`
    : 'a session that ended just now';
  return (
    `migration lock: held by ${who} for more than ${waitMs / 1000} s; expected it to finish\n` +
    `  See what it does in pg_stat_activity; the lock goes when that session ends.`
  );
}

async function findHolder(session: Client): Promise<LockHolder | undefined> {
  const { rows } = await session.query<LockHolder>(
    `SELECT l.pid, coalesce(nullif(a.application_name, ''), 'unnamed') AS application,
            coalesce(host(a.client_addr), 'local') AS address, coalesce(a.backend_start, now()) AS since
       FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = $2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...LOCK],
  );
  return rows[0];
}

async function assertHeld(session: Client): Promise<void> {
  const { rows } = await session
    .query<{ held: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
          AND classid = $1 AND objid = $2) AS held`,
      [...LOCK],
    )
    .catch((cause: unknown) => {
      throw new MigrationError(LOST, { cause });
    });
  if (!rows[0]?.held) throw new MigrationError(LOST);
}

const LOST =
  'migration lock: its session is gone; expected to hold the lock until the last migration\n' +
  '  Run it again: what was applied stays, the rest follows.';
