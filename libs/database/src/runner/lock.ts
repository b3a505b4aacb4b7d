import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { MigrationError, MigrationRefusal } from '../model/migration-error.js';
import { describeSession, type Session, findBlockers, findLockHolder, findWaiters } from './blocking-sessions.js';

export interface LockKind {
  /** Advisory locks belong to one database. */
  readonly key: readonly [number, number];
  readonly name: string;
  /** How long the session must keep the lock, and what to do after it lost it. */
  readonly loss: string;
}

/** The numbers spell "airlock". */
const MIGRATION_LOCK: LockKind = {
  key: [0x6169726c, 0x6f636b],
  name: 'migration lock',
  loss:
    'expected it to last until the last migration\n' +
    '  Run it again: applied migrations stay, and the others are applied.',
};

export type LockHolder = Session;

export interface LockOptions {
  /** The migration lock by default. */
  readonly kind?: LockKind;
  /** 0: a lock that another session holds is refused at once. */
  readonly waitMs: number;
  readonly pollMs: number;
  readonly heartbeatMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once for each session that holds the lock while this runner waits. */
  readonly onWaiting?: ((holder: LockHolder) => void) | undefined;
}

export interface RunnerLock {
  /** @throws MigrationError if the session that holds the lock is lost: another runner may have started */
  assertHeld(): Promise<void>;
  /** Checks at every heartbeat from now on which sessions block this backend. */
  watch(pid: number): void;
  /** Returns the sessions last seen blocking the watched backend, and clears the list. */
  takeBlockers(): readonly Session[];
  /** The same for the sessions that the watched backend blocks. */
  takeWaiters(): readonly Session[];
  /** Cancels the current statement of the watched backend. */
  cancelWatched(): Promise<void>;
}

/**
 * Polls, because a blocking wait would keep a snapshot open and CREATE INDEX CONCURRENTLY waits for every old snapshot:
 * the waiting runner and the running one would block each other for ever.
 */
export async function withRunnerLock<T>(
  session: Client,
  options: LockOptions,
  work: (lock: RunnerLock) => Promise<T>,
): Promise<T> {
  const { kind = MIGRATION_LOCK, heartbeatMs } = options;
  await acquireLock(session, { ...options, kind });
  const lock = new HeldLock(session, kind, heartbeatMs);
  try {
    return await work(lock);
  } finally {
    await lock.release();
  }
}

async function acquireLock(
  session: Client,
  { kind, waitMs, pollMs, signal, onWaiting }: LockOptions & { readonly kind: LockKind },
): Promise<void> {
  const deadline = performance.now() + waitMs;
  let reported: number | undefined;
  while (!(await tryLock(session, kind))) {
    const holder = await findLockHolder(session, kind.key);
    if (holder && holder.pid !== reported) onWaiting?.(holder);
    reported = holder?.pid ?? reported;
    if (performance.now() < deadline) await sleep(pollMs * (0.75 + Math.random() / 2), undefined, { signal });
    else if (waitMs > 0) throw new MigrationError(describeTimeout(kind, { waitMs, holder }));
    else throw new MigrationRefusal(describeTimeout(kind, { waitMs, holder }));
  }
}

async function tryLock(session: Client, { key }: LockKind): Promise<boolean> {
  const { rows } = await session.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [...key]);
  return rows[0]?.got === true;
}

function describeTimeout(
  { name }: LockKind,
  { waitMs, holder }: { waitMs: number; holder: LockHolder | undefined },
): string {
  return (
    `${name}: held ${waitMs > 0 ? `for more than ${waitMs / 1000} s ` : ''}by ` +
    `${holder ? describeSession(holder) : 'a session that ended just now'}; expected it to finish\n` +
    `  Find out what that session is doing before you end it; ending it releases the lock.`
  );
}

class HeldLock implements RunnerLock {
  readonly #session: Client;
  readonly #kind: LockKind;
  readonly #timer: NodeJS.Timeout;
  /** One query at a time: a session cannot process a second one before the first has finished. */
  #turn: Promise<unknown> = Promise.resolve();
  #watched = 0;
  #blockers: readonly Session[] = [];
  #waiters: readonly Session[] = [];
  #lost: unknown;

  constructor(session: Client, kind: LockKind, heartbeatMs: number) {
    this.#session = session;
    this.#kind = kind;
    session.on('error', (error) => (this.#lost = error));
    // Keeps the session from looking idle to proxies and firewalls, and detects its loss at once.
    this.#timer = setInterval(() => void this.#lookAround().catch(() => {}), heartbeatMs);
  }

  async assertHeld(): Promise<void> {
    const holder = await this.#ask(() => findLockHolder(this.#session, this.#kind.key)).catch(() => undefined);
    if (this.#lost !== undefined || holder?.pid !== backendPid(this.#session))
      throw new MigrationError(`${this.#kind.name}: its session was lost; ${this.#kind.loss}`, { cause: this.#lost });
  }

  watch(pid: number): void {
    this.#watched = pid;
  }

  takeBlockers(): readonly Session[] {
    const blockers = this.#blockers;
    this.#blockers = [];
    return blockers;
  }

  takeWaiters(): readonly Session[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }

  async cancelWatched(): Promise<void> {
    await this.#ask(() => this.#session.query('SELECT pg_cancel_backend($1)', [this.#watched]));
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    // Closing the session releases the lock in any case. A failure here must not hide the original error.
    await this.#ask(() => this.#session.query('SELECT pg_advisory_unlock($1, $2)', [...this.#kind.key])).catch(
      () => {},
    );
  }

  async #lookAround(): Promise<void> {
    const blockers = await this.#ask(() => findBlockers(this.#session, this.#watched));
    if (blockers.length > 0) this.#blockers = blockers;
    const waiters = await this.#ask(() => findWaiters(this.#session, this.#watched));
    if (waiters.length > 0) this.#waiters = waiters;
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
