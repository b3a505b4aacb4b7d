import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { describeSession } from './events.js';
import { MigrationError } from '../model/migration.js';
import { type Session, findBlockers, findLockHolder } from './sessions-in-the-way.js';

/** Advisory locks belong to one database; the numbers spell "airlock". */
const LOCK = [0x6169726c, 0x6f636b] as const;

export type LockHolder = Session;

export interface LockOptions {
  readonly waitMs: number;
  readonly pollMs: number;
  readonly heartbeatMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called while somebody else holds the lock, once for each holder. */
  readonly onWaiting?: ((holder: LockHolder) => void) | undefined;
}

export interface MigrationLock {
  /** @throws MigrationError if the session that holds the lock is gone: another runner may then be at work. */
  assertHeld(): Promise<void>;
  /** Looks, at every heartbeat from now on, who blocks this backend. */
  watch(pid: number): void;
  /** Who was last seen blocking the watched backend; forgets them. */
  takeBlockers(): readonly Session[];
  /** Cancels what the watched backend is doing. */
  cancelWatched(): Promise<void>;
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
    `  Ask what that session is doing before you end it; the lock goes with it.`
  );
}

class HeldLock implements MigrationLock {
  readonly #session: Client;
  readonly #timer: NodeJS.Timeout;
  /** One question at a time: a session takes no second one before it has answered. */
  #turn: Promise<unknown> = Promise.resolve();
  #watched = 0;
  #blockers: readonly Session[] = [];
  #lost: unknown;

  constructor(session: Client, heartbeatMs: number) {
    this.#session = session;
    session.on('error', (error) => (this.#lost = error));
    // Keeps the session from looking idle to whatever stands between, and sees at once when it is gone.
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
    // The lock goes with the session in any case; what failed before must not be hidden by a failure here.
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

/** node-pg keeps the backend's number under this name and leaves it out of its types. */
export function backendPid(client: Client): number {
  return (client as unknown as { processID: number }).processID;
}

const LOST =
  'migration lock: its session is gone; expected to hold the lock until the last migration\n' +
  '  Run it again: what was applied stays, the rest follows.';
