import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { describeSession, type Session } from '../runner/blocking-sessions.js';
import type { Limits } from './limits.js';
import { MigrationRefusal } from '../model/migration-error.js';

export interface ReplicaLag {
  readonly name: string;
  /** The role that provisioned the database may not see it. */
  readonly isHidden: boolean;
  /** NULL while nothing is replayed. */
  readonly lagMs: number | null;
  readonly lagBytes: number | null;
}

/** The replicas that are connected now. A receiver that replays nothing, such as an archiver, is not one. */
export async function loadReplicaLag(client: Client): Promise<ReplicaLag[]> {
  const { rows } = await client.query<ReplicaLag>(
    `SELECT name, is_hidden AS "isHidden", lag_ms AS "lagMs", lag_bytes AS "lagBytes" FROM ops.replica_lag()`,
  );
  return rows;
}

interface PauseContext {
  readonly client: Client;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
  readonly onPause: (reason: string) => void;
}

/**
 * Waits, outside of any transaction, until every replica has caught up and no session waits for a lock on the table:
 * the next batch would queue behind it, and every later statement behind both.
 */
export async function waitUntilCalm(table: string, { client, limits, signal, onPause }: PauseContext): Promise<void> {
  let reported: string | undefined;
  for (;;) {
    const reason = findLag(await loadReplicaLag(client), limits) ?? (await findQueue(client, table));
    if (reason === undefined) return;
    const kind = reason.split(':')[0];
    if (kind !== reported) onPause(reason);
    reported = kind;
    await sleep(limits.pausePollMs, undefined, { signal });
  }
}

/** @throws MigrationRefusal if the lag of a replica may not be seen: the run could not wait for it */
function findLag(replicas: readonly ReplicaLag[], { maxLagMs, maxLagBytes }: Limits): string | undefined {
  const hidden = replicas.filter(({ isHidden }) => isHidden);
  if (hidden.length > 0)
    throw new MigrationRefusal(
      `ops.replica_lag(): shows no lag of ${hidden.length} replicas; expected its owner to see pg_stat_replication\n` +
        '  GRANT pg_read_all_stats TO <the role of DATABASE_ADMIN_URL>',
    );
  const behind = replicas.find(({ lagMs, lagBytes }) => (lagMs ?? 0) > maxLagMs || (lagBytes ?? 0) > maxLagBytes);
  if (behind === undefined) return undefined;
  const { name, lagMs, lagBytes } = behind;
  return `replica ${name}: is ${Math.round((lagMs ?? 0) / 100) / 10} s and ${lagBytes ?? 0} bytes behind`;
}

/** Locks of rows are not listed here while they are free: a session in this list waits for the table itself. */
async function findQueue(client: Client, table: string): Promise<string | undefined> {
  const { rows } = await client.query<Session>(
    `SELECT a.pid, coalesce(nullif(a.application_name, ''), 'unnamed') AS application,
            host(a.client_addr) AS address, coalesce(a.xact_start, a.backend_start) AS since
       FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'relation' AND NOT l.granted AND l.relation = to_regclass($1)
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      ORDER BY since LIMIT 1`,
    [table],
  );
  return rows[0] && `${table}: ${describeSession(rows[0])} waits for a lock on it`;
}
