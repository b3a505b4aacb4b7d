import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { describeSession } from './events.js';
import { MigrationError } from '../model/migration.js';
import { type Session, findBlockers, findLockHolder } from './blocking-sessions.js';

/** Advisory locks belong to one database; the numbers spell "airlock". */
const LOCK = [0x6169726c, 0x6f636b] as const;

export type LockHolder = Session;

export interface LockOptions {
  readonly waitMs: number;
  readonly pollMs: number;
  readonly heartbeatMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once for each session that holds the lock while this runner waits. */
  readonly onWaiting?: ((holder: LockHolder) => void) | undefined;
}

export interface MigrationLock {
  /** @throws MigrationError if the session that holds the lock is lost: another runner may have started */
  assertHeld(): Promise<void>;
  /** Checks at every heartbeat from now on which sessions block this backend. */
  watch(pid: number): void;
  /** Returns the sessions last seen blocking the watched backend, and clears the list. */
  takeBlockers(): readonly Session[];
  /** Cancels the current statement of the watched backend. */
  cancelWatched(): Promise<void>;
}

/**
 * Polls, because a blocking wait would keep a snapshot open and CREATE INDEX CONCURRENTLY waits for every old snapshot:
 * the waiting runner and the running one would block each other for ever.
 */
export async function withMigrationLock<T>(
  session: Client,
  options: LockOptions,
  work: (lock: MigrationLock) => Promise<T>,
): Promise<T> {
  await acquireLock(session, options);
  const lock = new HeldLock(session, options.heartbeatMs);
  try {
    return await work(lock);
  } finally {
    await lock.release();
  }
}

async function acquireLock(session: Client, { waitMs, pollMs, signal, onWaiting }: LockOptions): Promise<void> {
  const deadline = performance.now() + waitMs;
  let reported: number | undefined;
  while (!(await tryLock(session))) {
    const holder = await findLockHolder(session, LOCK);
    if (holder && holder.pid !== reported) onWaiting?.(holder);
    reported = holder?.pid ?? reported;
    if (performance.now() > deadline) throw new MigrationError(describeTimeout(waitMs, holder));
    await sleep(pollMs * (0.75 + Math.random() / 2), undefined, { signal });
  }
}

async function tryLock(session: Client): Promise<boolean> {
  const { rows } = await session.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [...LOCK]);
  return rows[0]?.got === true;
}

function describeTimeout(waitMs: number, holder: LockHolder | undefined): string {
  return (
    `migration lock: held for more than ${waitMs / 1000} s by ` +
    `${holder ? describeSession(holder) : 'a session that ended just now'}; expected it to finish\n` +
    `  Find out what that session is doing before you end it; ending it releases the lock.`
  );
}

class HeldLock implements MigrationLock {
  readonly #session: Client;
  readonly #timer: NodeJS.Timeout;
  /** One query at a time: a session cannot process a second one before the first has finished. */
  #turn: Promise<unknown> = Promise.resolve();
  #watched = 0;
  #blockers: readonly Session[] = [];
  #lost: unknown;

  constructor(session: Client, heartbeatMs: number) {
    this.#session = session;
    session.on('error', (error) => (this.#lost = error));
    // Keeps the session from looking idle to proxies and firewalls, and detects its loss at once.
    this.#timer = setInterval(() => void this.#lookForBlockers().catch(() => {}), heartbeatMs);
  }

  async assertHeld(): Promise<void> {
    const holder = await this.#ask(() => findLockHolder(this.#session, LOCK)).catch(() => undefined);
    if (this.#lost !== undefined || holder?.pid !== backendPid(this.#session))
      throw new MigrationError(LOST, { cause: this.#lost });
  }

  watch(pid: number): void {
    this.#watched = pid;
  }

  takeBlockers(): readonly Session[] {
    const blockers = this.#blockers;
    this.#blockers = [];
    return blockers;
  }

  async cancelWatched(): Promise<void> {
    await this.#ask(() => this.#session.query('SELECT pg_cancel_backend($1)', [this.#watched]));
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    // Closing the session releases the lock in any case. A failure here must not hide the original error.
    await this.#ask(() => this.#session.query('SELECT pg_advisory_unlock($1, $2)', [...LOCK])).catch(() => {});
  }

  async #lookForBlockers(): Promise<void> {
    const blockers = await this.#ask(() => findBlockers(this.#session, this.#watched));
    if (blockers.length > 0) this.#blockers = blockers;
  }

  #ask<T>(question: () => Promise<T>): Promise<T> {
    const answer = this.#turn.then(question);
    this.#turn = answer.catch((error: unknown) => (this.#lost = error));
    return answer;
  }
}

/** node-pg stores the process id of the backend under this name, but its types omit it. */
export function backendPid(client: Client): number {
  return (client as unknown as { processID: number }).processID;
}

const LOST =
  'migration lock: its session was lost; expected it to last until the last migration\n' +
  '  Run it again: applied migrations stay, and the others are applied.';
