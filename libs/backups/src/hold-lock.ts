import type { Client } from 'pg';
import { refuse } from './problems/backup-error.js';

/** For as long as the session lives, also if this process is killed. @throws BackupError busy */
export async function holdLock(client: Client, what: 'backup' | 'drill'): Promise<void> {
  const { rows } = await client.query<{ held: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) AS held`,
    [`airlock/${what}`],
  );
  if (rows[0]?.held) return;
  throw refuse(
    'busy',
    `database "${String(client.database)}": another ${what} runs; expected one at a time\n  wait until it has ended`,
  );
}
