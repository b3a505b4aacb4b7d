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
