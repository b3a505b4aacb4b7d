/** Names of what can go wrong, for scripts and alerts. */
export type BackupProblem =
  /** A program of PostgreSQL is missing, or of another major version than the server. */
  | 'wrong-tools'
  /** The role may not read everything, or not create what a restore needs. */
  | 'missing-rights'
  /** Another backup of this database runs. */
  | 'busy'
  /** No migration was applied, so there is nothing to back up. */
  | 'empty-database'
  | 'dump-failed'
  /** The dump lacks tables that the database has. */
  | 'incomplete-dump'
  /** There is no backup of that name, or none at all. */
  | 'no-backup'
  /** The backup is of another environment. */
  | 'other-environment'
  /** The storage stopped before the last byte. */
  | 'lost-storage'
  /** There is a manifest without its dump. */
  | 'missing-dump'
  /** The dump is shorter than the one that was stored. */
  | 'truncated-dump'
  /** The bytes are not those that were stored. */
  | 'damaged'
  /** The manifest cannot be read. */
  | 'damaged-manifest'
  /** A release newer than this one has migrated the database. */
  | 'unknown-migrations'
  /** The backup lacks a migration of this release. */
  | 'missing-migrations'
  /** A database of that name exists, or the name is not a valid one. */
  | 'existing-database'
  | 'no-key'
  /** The folder of a throw-away server has no room for the database. */
  | 'unfit-folder'
  /** The throw-away server did not start. */
  | 'server-failed'
  /** The dump holds something by which a server connects to others. */
  | 'foreign-server'
  /** No process used the database when the backup was taken. */
  | 'stale-heartbeat'
  | 'restore-failed'
  /** The restored database is not the one that was backed up. */
  | 'differs'
  /** The application cannot read the restored database. */
  | 'cannot-serve';

const UNCHANGED = 3;
const FAILED = 1;

/** Exit code 3: refused before anything was written. 1: failed, and what was begun is removed. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly exitCode: number;

  constructor(
    readonly problem: BackupProblem,
    message: string,
    { cause, isRefusal = false }: { cause?: unknown; isRefusal?: boolean } = {},
  ) {
    super(`${problem}: ${message}`, { cause });
    this.exitCode = isRefusal ? UNCHANGED : FAILED;
  }
}

export function refuse(problem: BackupProblem, message: string): BackupError {
  return new BackupError(problem, message, { isRefusal: true });
}
