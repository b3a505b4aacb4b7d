import type { ClientBase } from 'pg';

/**
 * Another session, as far as a plain role may see it: only the name if it belongs to another role. Never its query,
 * which may hold data.
 */
export interface Session {
  readonly pid: number;
  readonly application: string;
  readonly address: string | null;
  /** Start of its transaction or, outside of one, of the session. */
  readonly since: Date | null;
}

const SESSION_COLUMNS = `
  a.pid, coalesce(nullif(a.application_name, ''), 'unnamed') AS application,
  host(a.client_addr) AS address, coalesce(a.xact_start, a.backend_start) AS since`;

/** The sessions that block `pid` right now. */
export async function findBlockers(client: ClientBase, pid: number): Promise<Session[]> {
  const { rows } = await client.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1))`,
    [pid],
  );
  return rows;
}

/** The sessions that `pid` blocks right now. Every role sees who waits in `pg_locks`, and not in `pg_stat_activity`. */
export async function findWaiters(client: ClientBase, pid: number): Promise<Session[]> {
  const { rows } = await client.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM pg_stat_activity a
      WHERE a.pid IN (SELECT l.pid FROM pg_locks l WHERE NOT l.granted) AND $1 = ANY (pg_blocking_pids(a.pid))`,
    [pid],
  );
  return rows;
}

/** The session that holds the advisory lock (classid, objid) of this database. */
export async function findLockHolder(client: ClientBase, key: readonly [number, number]): Promise<Session | undefined> {
  const { rows } = await client.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = $2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...key],
  );
  return rows[0];
}

export function describeSession({ pid, application, address, since }: Session): string {
  const from = address === null ? '' : ` from ${address}`;
  return `pid ${pid} (${application}${from}${since === null ? '' : `, since ${since.toISOString()}`})`;
}

export function describeBlockers(blockers: readonly Session[]): string {
  return blockers.length === 0 ? '' : `; blocked by: ${blockers.map(describeSession).join(', ')}`;
}
