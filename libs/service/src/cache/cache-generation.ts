import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { runOutsideRequests } from '../context/request-context.js';
import type { Database } from '../data/database.js';
import { readCode } from '../failures/database-failures.js';
import type { CacheServer } from './cache-server.js';

/** A lease lasts this long from the moment at which the process asked the database. */
export const LEASE_MS = 1_000;
const RENEW_MS = 400;
/** Longer than every lease, even if clocks run at slightly different speeds. */
const CLOSING_MS = 1_200;
/**
 * The cache stays closed for this long after the last change of its state. So a write that has begun ends before, unless
 * it takes longer than the rest of this time.
 */
const REOPEN_MS = 2_500;
/** A writer that cannot reach Redis closes again what it closed longer ago than this. */
const RECLOSE_MS = 400;
/** Table, schema or privilege is missing: the database is older than the read cache, and no process caches its rows. */
const MISSING = /^(42P01|3F000|42501)$/;

/** PostgreSQL gives each revision of a row another `xmin`. */
const READ = {
  name: 'cache:read',
  text: 'SELECT generation, is_open AS "isOpen", server, xmin::text AS revision FROM ops.read_cache',
};
const MOVE = {
  name: 'cache:move',
  text: 'UPDATE ops.read_cache SET server = $3 WHERE generation = $1 AND xmin = $2::xid AND NOT is_open',
};
const OPEN = {
  name: 'cache:open',
  text: `UPDATE ops.read_cache SET is_open = true
          WHERE generation = $1 AND xmin = $2::xid AND server = $3 AND NOT is_open RETURNING generation`,
};
const CLOSE = {
  name: 'cache:close',
  text: `WITH closed AS (
           UPDATE ops.read_cache SET generation = CASE WHEN is_open THEN $1 ELSE generation END, is_open = false
            WHERE is_open OR $2 RETURNING generation, server)
         SELECT generation, server FROM closed
         UNION ALL SELECT generation, server FROM ops.read_cache WHERE NOT EXISTS (SELECT FROM closed)`,
};

interface State {
  readonly generation: string;
  readonly isOpen: boolean;
  /** The only Redis for which the generation may open; null if no process has had one yet. */
  readonly server: string | null;
  /** Changes whenever the generation is opened, moved or closed, also if it was closed before. */
  readonly revision: string;
}

/** Until the lease ends, the generation is used in this Redis only. If it is open, its cached rows may be served. */
export interface Lease {
  readonly generation: string;
  readonly isOpen: boolean;
  readonly connection: number;
  readonly startedAt: number;
}

export interface CacheGenerationOptions {
  readonly database: Pick<Database, 'query'>;
  readonly server: CacheServer;
  readonly logger: Logger;
}

/**
 * Decides through the database which cached rows may be served: those of one generation in one Redis. Leases on two
 * generations, or on two Redis, never overlap, because a generation stays closed for longer than a lease before it opens.
 * See docs/adr/0009.
 */
export class CacheGeneration {
  readonly #options: CacheGenerationOptions;
  #lease: Lease | undefined;
  #renewal: Promise<void> | undefined;
  #renewedAt = -Infinity;
  #closing: Promise<string | undefined> = Promise.resolve(undefined);
  #nextClosing: Promise<string | undefined> | undefined;
  /** The closed generation that was seen last, and the time at which it was first seen. */
  #closed = { generation: '', seenAt: 0 };
  #revision = { revision: '', seenAt: 0 };
  #closedAt = -Infinity;
  #movedAt = -Infinity;
  #isMissing = false;

  constructor(options: CacheGenerationOptions) {
    this.#options = options;
  }

  /** @returns undefined if no cached row may be served */
  async lease(): Promise<Lease | undefined> {
    const lease = await this.#current();
    return lease?.isOpen ? lease : undefined;
  }

  /**
   * Also gives a lease on a closed generation, after all leases on the one before have ended: a write that Redis knows of
   * does not keep the cache closed.
   *
   * @returns undefined if the write must close the generation
   */
  async leaseForWrite(): Promise<Lease | undefined> {
    for (;;) {
      const lease = await this.#current();
      // While this process waited, the generation may have been opened, and closed again.
      if (!lease || lease.isOpen || !(await this.#waitForLeases(lease.generation))) return lease;
    }
  }

  async #current(): Promise<Lease | undefined> {
    if (!this.#options.server.isUsable) return undefined;
    if (performance.now() - this.#renewedAt >= RENEW_MS) {
      const renewal = (this.#renewal ??= runOutsideRequests(() => this.#renew()).finally(
        () => (this.#renewal = undefined),
      ));
      if (!this.#lease?.isOpen || !this.holds(this.#lease)) await renewal;
    }
    return this.#lease && this.holds(this.#lease) ? this.#lease : undefined;
  }

  /** Check this after each response of Redis, because the lease may have ended meanwhile. */
  holds({ startedAt, connection }: Lease): boolean {
    return performance.now() < startedAt + LEASE_MS && connection === this.#options.server.connection;
  }

  /**
   * Ends the generation for every process, and returns when no process serves a row of it any more.
   *
   * @throws the error of the database; the write must then not be acknowledged
   */
  async close(): Promise<void> {
    const generation = await this.#closeTogether();
    if (generation === undefined) return;
    await this.#waitForLeases(generation);
  }

  /** @returns whether there was anything to wait for */
  async #waitForLeases(closed: string): Promise<boolean> {
    const waitMs = this.#noteClosed(closed).seenAt + CLOSING_MS - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    return waitMs > 0;
  }

  /** Callers that ask while a statement runs share the next one: it begins after each of their writes. */
  #closeTogether(): Promise<string | undefined> {
    return (this.#nextClosing ??= this.#closing
      .catch(() => undefined)
      .then(() => {
        this.#closing = this.#close();
        this.#nextClosing = undefined;
        return this.#closing;
      }));
  }

  /** @returns the closed generation; undefined if no process has had a Redis yet */
  async #close(): Promise<string | undefined> {
    const [next, startedAt] = [randomUUID(), performance.now()];
    const isAgain = startedAt - this.#closedAt >= RECLOSE_MS;
    try {
      const [row] = await this.#options.database.query<State>({ userId: '', ...CLOSE, values: [next, isAgain] });
      if (isAgain) this.#closedAt = startedAt;
      if (row?.generation === next) this.#options.logger.warn('cache.closed');
      return row?.server === null ? undefined : row?.generation;
    } catch (error) {
      if (!this.#isMissingTable(error)) throw error;
      return undefined;
    }
  }

  /** A failure is not reported here: the read that follows asks the same database and reports it. */
  async #renew(): Promise<void> {
    try {
      // Ask again if this process, or another one at the same time, has just opened a generation.
      if (await this.#ask()) await this.#ask();
    } catch (error) {
      this.#lease = undefined;
      this.#isMissingTable(error);
    }
    this.#renewedAt = performance.now();
  }

  /** @returns whether a second attempt may give a lease */
  async #ask(): Promise<boolean> {
    const { database, server } = this.#options;
    const [startedAt, connection] = [performance.now(), server.connection];
    const query = database.query<State>({ userId: '', ...READ, values: [] });
    const [here, [state]] = await Promise.all([server.identify(), query]);
    const isCurrent = state !== undefined && here !== undefined && state.server === here;
    this.#lease = isCurrent ? { generation: state.generation, isOpen: state.isOpen, connection, startedAt } : undefined;
    if (state === undefined || here === undefined || this.#lease?.isOpen) return false;
    return this.#takeOver(state, here);
  }

  /**
   * Closes a generation that is open for another Redis; moves a closed one to this Redis; opens it after its state has
   * not changed for long enough.
   */
  async #takeOver({ generation, isOpen, server, revision }: State, here: string): Promise<boolean> {
    if (isOpen) {
      const closed = await this.#close();
      if (closed !== undefined) this.#noteClosed(closed);
      return false;
    }
    const now = performance.now();
    this.#noteClosed(generation);
    if (this.#revision.revision !== revision) this.#revision = { revision, seenAt: now };
    const isMove = server !== here;
    if (now - (isMove ? this.#movedAt : this.#revision.seenAt) < REOPEN_MS) return false;
    if (isMove) this.#movedAt = now;
    const values = [generation, revision, here];
    const opened = await this.#options.database.query({ userId: '', ...(isMove ? MOVE : OPEN), values });
    if (opened.length > 0) this.#options.logger.info('cache.opened');
    return true;
  }

  /** Remembers when a generation was first seen closed: all its leases end within one lease of that moment. */
  #noteClosed(generation: string): { readonly seenAt: number } {
    if (this.#closed.generation !== generation) this.#closed = { generation, seenAt: performance.now() };
    return this.#closed;
  }

  #isMissingTable(error: unknown): boolean {
    if (!MISSING.test(readCode(error) ?? '')) return false;
    const reason = 'ops.read_cache: cannot be used; expected the table that this release creates\n  airlock db migrate';
    if (!this.#isMissing) this.#options.logger.warn({ reason }, 'cache.unavailable');
    return (this.#isMissing = true);
  }
}
