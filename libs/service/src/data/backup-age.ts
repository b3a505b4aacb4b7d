import type { Database } from './database.js';

const NEWEST = {
  name: 'newest_restorable_backup',
  text: `SELECT extract(epoch FROM pg_catalog.clock_timestamp() - max(taken_at))::float8 AS age FROM ops.restorable_backups`,
  values: [],
  userId: '',
};

/** How many seconds old the newest backup is that a drill has restored; Infinity if there is none. */
export async function readBackupAge(database: Database): Promise<number> {
  const [row] = await database.query<{ age: number | null }>(NEWEST);
  return row?.age ?? Infinity;
}

const ARCHIVE = {
  name: 'archive_behind',
  text: `SELECT CASE WHEN pg_catalog.current_setting('archive_mode') = 'off' THEN NULL
      WHEN last_archived_time > last_failed_time OR last_failed_time IS NULL AND last_archived_time IS NOT NULL THEN 0
      ELSE extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(last_archived_time, stats_reset))::float8
    END AS behind FROM pg_catalog.pg_stat_archiver`,
  values: [],
  userId: '',
};

/** For how many seconds the server has archived nothing; 0 if its last attempt succeeded, undefined if it archives nothing. */
export async function readArchiveDelay(database: Database): Promise<number | undefined> {
  const [row] = await database.query<{ behind: number | null }>(ARCHIVE);
  return row?.behind ?? undefined;
}
