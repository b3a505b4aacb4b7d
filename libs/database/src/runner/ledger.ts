import type { ClientBase } from 'pg';
import type { Migration, MigrationPhase } from '../model/migration.js';

/** A row of ops.migrations: the migration, the release that applied it, and the actor. */
export interface AppliedMigration {
  readonly name: string;
  readonly sha256: string;
  readonly phase: MigrationPhase;
  readonly completes: string | null;
  readonly appliedAt: Date;
  readonly durationMs: number;
  readonly commit: string | null;
  readonly imageDigest: string | null;
  readonly actor: string;
}

export interface Provenance {
  readonly commit: string | undefined;
  readonly imageDigest: string | undefined;
  /** The actor: a person, or the job of a pipeline. */
  readonly actor: string;
}

/** Idempotent; part of the hash that keys migrated templates. */
export const LEDGER_SQL = `
CREATE TABLE IF NOT EXISTS ops.migrations (
  name text PRIMARY KEY,
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  phase text NOT NULL CHECK (phase IN ('expand', 'contract')),
  completes text REFERENCES ops.migrations (name),
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  duration_ms integer NOT NULL,
  commit text,
  image_digest text,
  actor text NOT NULL
);
CREATE TABLE IF NOT EXISTS ops.migration_runs (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  outcome text NOT NULL DEFAULT 'running' CHECK (outcome IN ('running', 'done', 'failed', 'interrupted')),
  planned text[] NOT NULL,
  error text,
  commit text,
  image_digest text,
  actor text NOT NULL
);
GRANT SELECT ON ops.migrations TO PUBLIC;
-- Decides which rows processes may serve from their shared cache (docs/adr/0009). PUBLIC means every role with USAGE
-- on this schema.
CREATE TABLE IF NOT EXISTS ops.read_cache (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  generation uuid NOT NULL DEFAULT gen_random_uuid(),
  is_open boolean NOT NULL DEFAULT false,
  server text
);
INSERT INTO ops.read_cache DEFAULT VALUES ON CONFLICT DO NOTHING;
GRANT SELECT, UPDATE (generation, is_open, server) ON ops.read_cache TO PUBLIC;
-- Objects of the storage that no row names, or may soon name no more (docs/adr/0024). A key is here from before its
-- object is stored until the transaction of its row; the object of a key that stays is removed.
CREATE TABLE IF NOT EXISTS ops.files_to_remove (
  key text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 300),
  remove_after timestamptz NOT NULL,
  is_removing boolean NOT NULL DEFAULT false
);
GRANT SELECT, INSERT, DELETE, UPDATE (remove_after, is_removing) ON ops.files_to_remove TO PUBLIC;
-- Backups that a drill has restored on trial (docs/adr/0031). Processes read from it how old the newest one is.
CREATE TABLE IF NOT EXISTS ops.restorable_backups (
  name text PRIMARY KEY,
  taken_at timestamptz NOT NULL,
  proved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE ops.restorable_backups ADD COLUMN IF NOT EXISTS heartbeat_at timestamptz, ADD COLUMN IF NOT EXISTS restore_ms bigint;
GRANT SELECT ON ops.restorable_backups TO PUBLIC;
-- When a process that runs jobs last wrote here (docs/adr/0034). In a restored database it tells which moment came back.
CREATE TABLE IF NOT EXISTS ops.heartbeat (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  at timestamptz
);
INSERT INTO ops.heartbeat DEFAULT VALUES ON CONFLICT DO NOTHING;
GRANT SELECT, UPDATE (at) ON ops.heartbeat TO PUBLIC;
-- Of a database that \`airlock db refresh\` filled: from which environment, when, and how many of its persons.
CREATE TABLE IF NOT EXISTS ops.refreshed (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  from_environment text NOT NULL,
  percent real NOT NULL,
  refreshed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- The effects of migrations on a copy of production's size (docs/adr/0036), for the promotion of their image.
CREATE TABLE IF NOT EXISTS ops.rehearsals (
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  server_major integer NOT NULL,
  name text NOT NULL,
  refreshed_at timestamptz NOT NULL,
  rehearsed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  longest_wait_ms real NOT NULL,
  usual_p99_ms real,
  p99_ms real,
  statements jsonb NOT NULL,
  commit text,
  image_digest text,
  actor text NOT NULL,
  PRIMARY KEY (sha256, server_major)
);
GRANT SELECT ON ops.rehearsals TO PUBLIC;
-- Backups that were stored and not removed since. Migrations may require a recent one, without a way to the storage.
CREATE TABLE IF NOT EXISTS ops.backups (
  name text PRIMARY KEY,
  taken_at timestamptz NOT NULL,
  is_doubtful boolean NOT NULL
);
GRANT SELECT ON ops.backups TO PUBLIC;
-- How far each backfill is (docs/adr/0032). A batch changes its row in the transaction that changes the batch's rows.
CREATE TABLE IF NOT EXISTS ops.backfills (
  name text PRIMARY KEY,
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  pass integer NOT NULL DEFAULT 1,
  last_key text[],
  pass_rows bigint NOT NULL DEFAULT 0,
  pass_changed bigint NOT NULL DEFAULT 0,
  changed bigint NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  completed_at timestamptz,
  commit text,
  image_digest text,
  actor text NOT NULL
);
-- Readiness asks. Keys may be about a person.
GRANT SELECT (name, sha256, pass, pass_rows, changed, updated_at, completed_at) ON ops.backfills TO PUBLIC;
`;

export async function hasTable(client: ClientBase, name: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS found`, [name]);
  return rows[0]?.found === true;
}

/** Also adds what is missing in a database of an earlier release. */
export async function ensureLedger(client: ClientBase): Promise<void> {
  if (!(await hasTable(client, 'ops.heartbeat'))) await client.query(LEDGER_SQL);
  const { rowCount } = await client.query(
    'SELECT FROM unnest($1::text[]) AS t (name) WHERE to_regclass(name) IS NULL',
    [LEDGER_TABLES],
  );
  if (rowCount) await client.query(LEDGER_SQL);
}

const LEDGER_TABLES = [...LEDGER_SQL.matchAll(/^CREATE TABLE IF NOT EXISTS (\S+)/gm)].map(([, name]) => name);

/** In the order of names, which is the order in which they were applied. */
export async function loadLedger(client: ClientBase): Promise<AppliedMigration[]> {
  if (!(await hasTable(client, 'ops.migrations'))) return [];
  const { rows } = await client.query<AppliedMigration>(`
    SELECT name, sha256, phase, completes, applied_at AS "appliedAt", duration_ms AS "durationMs",
           commit, image_digest AS "imageDigest", actor
      FROM ops.migrations ORDER BY name COLLATE "C"`);
  return rows;
}

/** Inside a transaction the row is written first: a second runner waits for it and never repeats the work. */
export async function claimMigration(client: ClientBase, migration: Migration, by: Provenance): Promise<void> {
  const { name, sha256, phase, completes = null } = migration;
  await client.query(
    `INSERT INTO ops.migrations (name, sha256, phase, completes, duration_ms, commit, image_digest, actor)
     VALUES ($1, $2, $3, $4, 0, $5, $6, $7)`,
    [name, sha256, phase, completes, by.commit ?? null, by.imageDigest ?? null, by.actor],
  );
}

export async function recordDuration(client: ClientBase, name: string, durationMs: number): Promise<void> {
  await client.query(`UPDATE ops.migrations SET duration_ms = $2, applied_at = clock_timestamp() WHERE name = $1`, [
    name,
    Math.round(durationMs),
  ]);
}
