import type { Client } from 'pg';
import { refuse } from './problems/backup-error.js';

/** @throws BackupError busy */
export async function holdLock(client: Client, name: 'backup'): Promise<void> {
  if (await tryLock(client, name)) return;
  throw refuse(
    'busy',
    `database "${String(client.database)}": another ${name} runs; expected one at a time\n  wait until it has ended`,
  );
}

/** For as long as the session lives, also if this process is killed. */
export async function tryLock(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) AS held`,
    [`airlock/${name}`],
  );
  return rows[0]?.held === true;
}
