import type { Client } from 'pg';
import { hasTable, type Provenance } from '../runner/ledger.js';
import { DEFAULT_TIMING } from '../runner/timing.js';

/** The figures of one migration, on a copy of production's size. */
export interface Rehearsal {
  readonly name: string;
  readonly sha256: string;
  /** When the rows of the copy came. */
  readonly refreshedAt: Date;
  /** The longest time for which another session waited, or would have. */
  readonly longestWaitMs: number;
  /** Of the load, before the first migration: 99 of 100 operations were faster. */
  readonly usualP99Ms: number | null;
  /** The same, while this migration ran; null if fewer than 100 operations ran then. */
  readonly p99Ms: number | null;
  readonly statements: readonly RehearsedStatement[];
}

export interface RehearsedStatement {
  /** Its number and its first words. */
  readonly statement: string;
  readonly durationMs: number;
  readonly locks: readonly {
    readonly table: string;
    readonly mode: string;
    readonly heldMs: number;
    /** Estimated. */
    readonly rows: number | null;
    readonly isLoaded: boolean;
  }[];
  readonly rewritten: readonly string[];
  readonly scanned: readonly string[];
  readonly load: LoadFigures;
}

/** Of the operations of a load in a part of the run. */
export interface LoadFigures {
  readonly operations: number;
  readonly longestMs: number;
  /** 99 of 100 operations were faster; null if fewer than 100 ran. */
  readonly p99Ms: number | null;
  readonly failures: readonly string[];
}

/** One that can be judged: `airlock db status` shows it, and a deploy keeps it in the record of the release. */
export interface RehearsalVerdict {
  readonly rehearsedAt: Date;
  readonly refreshedAt: Date;
  readonly serverMajor: number;
  readonly longestWaitMs: number;
  readonly isWithinBudget: boolean;
}

/** The runner itself waits no longer for a lock. */
const LONGEST_WAIT_MS = DEFAULT_TIMING.lockTimeoutMs;
/** Times of a few milliseconds vary more than that on their own. */
const MOST_TIMES_SLOWER = 10;
export const NOTICEABLE_MS = 250;

/** Lists what exceeds the budgets. */
export function judgeRehearsal({
  longestWaitMs,
  usualP99Ms,
  p99Ms,
}: Pick<Rehearsal, 'longestWaitMs' | 'usualP99Ms' | 'p99Ms'>): string[] {
  const usualMs = usualP99Ms ?? 0;
  const limitMs = Math.max(NOTICEABLE_MS, MOST_TIMES_SLOWER * usualMs);
  return [
    longestWaitMs > LONGEST_WAIT_MS &&
      `a session waits ${Math.round(longestWaitMs)} ms; expected at most ${LONGEST_WAIT_MS} ms`,
    p99Ms !== null &&
      p99Ms > limitMs &&
      `1 of 100 operations takes ${Math.round(p99Ms)} ms, and ${Math.round(usualMs)} ms without the migration; expected at most ${Math.round(limitMs)} ms`,
  ].filter((line) => line !== false);
}

/** The newest rehearsal of a migration replaces the earlier ones. */
export async function saveRehearsals(client: Client, rehearsals: readonly Rehearsal[], by: Provenance): Promise<void> {
  for (const { name, sha256, refreshedAt, longestWaitMs, usualP99Ms, p99Ms, statements } of rehearsals)
    await client.query(
      `INSERT INTO ops.rehearsals AS r (sha256, server_major, name, refreshed_at, longest_wait_ms, usual_p99_ms, p99_ms, statements, commit, image_digest, actor)
       SELECT $1, current_setting('server_version_num')::int / 10000, $2, $3, $4, $5, $6, $7, $8, $9, $10
       ON CONFLICT (sha256, server_major) DO UPDATE SET name = excluded.name, refreshed_at = excluded.refreshed_at,
         rehearsed_at = clock_timestamp(), longest_wait_ms = excluded.longest_wait_ms, usual_p99_ms = excluded.usual_p99_ms,
         p99_ms = excluded.p99_ms, statements = excluded.statements, commit = excluded.commit,
         image_digest = excluded.image_digest, actor = excluded.actor`,
      [
        ...[sha256, name, refreshedAt, longestWaitMs, usualP99Ms, p99Ms, JSON.stringify(statements)],
        ...[by.commit ?? null, by.imageDigest ?? null, by.actor],
      ],
    );
}

export async function forgetRehearsals(client: Client, hashes: readonly string[]): Promise<void> {
  await client.query('DELETE FROM ops.rehearsals WHERE sha256 = ANY ($1)', [hashes]);
}

/** By the SHA-256 of the migration, for the major version of this server. */
export async function loadRehearsals(client: Client): Promise<ReadonlyMap<string, RehearsalVerdict>> {
  if (!(await hasTable(client, 'ops.rehearsals'))) return new Map();
  const { rows } = await client.query<Omit<RehearsalVerdict, 'isWithinBudget'> & Rehearsal>(
    `SELECT sha256, server_major AS "serverMajor", rehearsed_at AS "rehearsedAt", refreshed_at AS "refreshedAt",
            longest_wait_ms AS "longestWaitMs", usual_p99_ms AS "usualP99Ms", p99_ms AS "p99Ms"
       FROM ops.rehearsals WHERE server_major = current_setting('server_version_num')::int / 10000`,
  );
  return new Map(
    rows.map(({ sha256, rehearsedAt, refreshedAt, serverMajor, ...figures }) => [
      sha256,
      {
        ...{ rehearsedAt, refreshedAt, serverMajor, longestWaitMs: figures.longestWaitMs },
        isWithinBudget: judgeRehearsal(figures).length === 0,
      },
    ]),
  );
}
