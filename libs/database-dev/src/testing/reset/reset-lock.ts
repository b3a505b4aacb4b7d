import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';

const POLL_MS = 100;
const WAIT_MS = 60_000;

/**
 * Allows one reset of a database at a time. Polled instead of waiting on the server, because a waiting statement keeps
 * a snapshot. The lock belongs to the session and ends with it.
 *
 * @throws naming the holder when the lock is not released
 */
export async function acquireResetLock(client: Client, database: string): Promise<void> {
  for (let waitedMs = 0; waitedMs <= WAIT_MS; waitedMs += POLL_MS) {
    const { rows } = await client.query<{ got: boolean }>(
      `SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('airlock/reset/' || $1::text, 0)) AS got`,
      [database],
    );
    if (rows[0]?.got) return;
    await sleep(POLL_MS + Math.random() * POLL_MS);
  }
  const { rows } = await client.query<{ holder: string }>(HOLDER_SQL, [database]);
  throw new Error(
    `another reset of "${database}" has run for over ${WAIT_MS / 1000} s: ${rows[0]?.holder ?? 'unknown'}`,
  );
}

const HOLDER_SQL = `
  SELECT 'process ' || a.pid || ', ' || a.application_name AS holder
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted
    AND (l.classid::pg_catalog.int8 << 32 | l.objid::pg_catalog.int8) = pg_catalog.hashtextextended('airlock/reset/' || $1::text, 0)`;
