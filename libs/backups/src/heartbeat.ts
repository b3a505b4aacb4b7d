import type { Client } from 'pg';
import type { BackupManifest } from './manifest.js';
import { BackupError } from './problems/backup-error.js';

/** The two figures of a restore. */
export interface Recovery {
  /** The last sign of life in the restored rows; null in a backup of a release that wrote none. */
  readonly heartbeatAt: Date | null;
  /** The age of that sign: as much would be lost if production ended now. */
  readonly recoveryPointMs: number | null;
  /** From the first byte of the backup to the compared database. */
  readonly recoveryTimeMs: number;
}

/** The application may write any time there. One after the backup, or without an end, says nothing about it. */
export async function readHeartbeat(
  client: Client,
  { takenAt }: Pick<BackupManifest, 'takenAt'>,
): Promise<Date | null> {
  const { rows: tables } = await client.query(`SELECT WHERE pg_catalog.to_regclass('ops.heartbeat') IS NOT NULL`);
  if (tables.length === 0) return null;
  // A minute later it may be: the clock of a server that took over can be behind.
  const { rows } = await client.query<{ at: Date }>(
    `SELECT at FROM ops.heartbeat
      WHERE pg_catalog.isfinite(at) AND at <= $1::pg_catalog.timestamptz + pg_catalog.make_interval(mins => 1)`,
    [takenAt],
  );
  return rows[0]?.at ?? null;
}

export function createRecovery(heartbeatAt: Date | null, started: number): Recovery {
  const now = Date.now();
  return {
    heartbeatAt,
    recoveryPointMs: heartbeatAt && now - heartbeatAt.getTime(),
    recoveryTimeMs: now - started,
  };
}

/** @throws BackupError stale-heartbeat for a backup of a database that no process of its environment used any more */
export function assertAlive({ name, takenAt }: BackupManifest, { heartbeatAt }: Recovery, maxLagMs: number): void {
  const lagMs = heartbeatAt && Date.parse(takenAt) - heartbeatAt.getTime();
  if (lagMs !== null && lagMs <= maxLagMs) return;
  const found =
    lagMs === null ? 'no heartbeat from before it' : `a heartbeat ${inMinutes(lagMs)} older than the backup`;
  throw new BackupError(
    'stale-heartbeat',
    `${name}: has ${found}; expected one within ${inMinutes(maxLagMs)}, which each process that runs jobs writes every minute\n` +
      '  see whether the jobs of production run, and which database its backups are of',
  );
}

/** Rounded up: a lag above the limit must not look like it. */
function inMinutes(ms: number): string {
  return `${Math.ceil(ms / 60_000)}m`;
}

export function describeRecovery({ heartbeatAt, recoveryPointMs, recoveryTimeMs }: Recovery): string {
  const point =
    heartbeatAt === null || recoveryPointMs === null
      ? 'unknown, because the backup has no heartbeat from before it'
      : `${heartbeatAt.toISOString()}, ${Math.round(recoveryPointMs / 1000)} s ago`;
  return `recovery point: ${point}; recovery time: ${(recoveryTimeMs / 1000).toFixed(1)} s`;
}
