import type { Environment } from '@airlock/config';
import type { Client } from 'pg';
import { type BackfillRecord, loadBackfills } from '../backfill/backfill-progress.js';
import { type BackfillFacts, type BackfillState, judgeBackfill } from '../backfill/requirements.js';
import { type AppliedMigration, hasTable, loadLedger } from '../runner/ledger.js';
import type { Backfill } from '../model/backfill.js';
import type { Migration, MigrationPhase } from '../model/migration.js';
import type { Model } from '../model/product-model.js';
import { planMigrations } from './plan.js';
import { assertBackedUp, findStoredBackup, type StoredBackup } from './recent-backup.js';
import { judgeBackfills, judgeSchema, type SchemaVerdict } from './schema-range.js';
import { loadRehearsals, type RehearsalVerdict } from './rehearsal-record.js';
import { connectMigrator, isProvisioned, type MigrationTarget } from '../runner/session.js';

export interface StatusOptions extends MigrationTarget, Pick<Model, 'migrations'>, Partial<Pick<Model, 'backfills'>> {}

export interface MigrationStatus {
  readonly name: string;
  readonly phase: MigrationPhase;
  /** `edited`: the statements that ran differ from the file. `unknown`: this code has no such file. */
  readonly state: 'applied' | 'pending' | 'edited' | 'unknown';
  readonly appliedAt?: Date;
  readonly durationMs?: number;
  readonly commit?: string | null;
  readonly actor?: string;
  /** In a refreshed database: the effects of exactly these statements on a clone of it. */
  readonly rehearsal?: RehearsalVerdict;
}

export interface DatabaseStatus {
  readonly database: string;
  readonly environment: Environment;
  readonly serverMajor: number;
  /** False if `airlock db provision` must run before the migrations. */
  readonly isProvisioned: boolean;
  readonly migrations: readonly MigrationStatus[];
  readonly backfills: readonly BackfillStatus[];
  readonly verdict: SchemaVerdict;
  /** The newest backup without doubts. */
  readonly backup: StoredBackup | null;
  /** The newest backup that a drill has restored. */
  readonly restorable: RestorableBackup | null;
  /** The continuous archive of the server; null if it is off. */
  readonly archive: ArchiveState | null;
}

/** As pg_stat_archiver, since the statistics of the server were reset. */
export interface ArchiveState {
  readonly isFailing: boolean;
  readonly failures: number;
  readonly lastArchived: string | null;
  readonly lastArchivedAt: Date | null;
}

export interface RestorableBackup {
  readonly name: string;
  readonly takenAt: Date;
  readonly provedAt: Date;
  /** How long the last restore took; null if an earlier release recorded it. */
  readonly restoreMs: number | null;
}

export interface BackfillStatus extends Partial<BackfillRecord> {
  readonly name: string;
  readonly table: string;
  /** This code is not ready before it is complete. */
  readonly isRequired: boolean;
  readonly state: BackfillState;
}

/** Reads only. */
export async function loadStatus(options: StatusOptions): Promise<DatabaseStatus> {
  const { migrations, backfills = [], config } = options;
  const { applied, records, rehearsals, ...facts } = await withStatusSession(options, async (client) => ({
    applied: await loadLedger(client),
    records: await loadBackfills(client),
    rehearsals: await loadRehearsals(client),
    serverMajor: await readServerMajor(client),
    isProvisioned: await isProvisioned(client),
    backup: (await findStoredBackup(client)) ?? null,
    restorable: await loadRestorable(client),
    archive: await loadArchiveState(client),
  }));
  return {
    database: config.database.app.database,
    environment: config.environment,
    ...facts,
    migrations: compare(migrations, { applied, rehearsals }),
    backfills: backfills.map((backfill) => describeBackfill(backfill, { migrations, applied, records })),
    verdict: judgeBackfills(judgeSchema(applied, migrations), backfills, { migrations, applied, records }),
  };
}

/** The migrations that a run would apply. @throws MigrationRefusal where the run would be refused */
export async function loadPlan(options: StatusOptions & { to?: string | undefined }): Promise<readonly Migration[]> {
  const { migrations, backfills, config, to } = options;
  return withStatusSession(options, async (client) => {
    const [applied, records] = [await loadLedger(client), await loadBackfills(client)];
    const pending = planMigrations({ migrations, backfills, applied, records, environment: config.environment, to });
    await assertBackedUp(client, { config, pending, applied });
    return pending;
  });
}

function describeBackfill(backfill: Backfill, facts: BackfillFacts): BackfillStatus {
  const { name, table, isRequired } = backfill;
  const record = facts.records.find((row) => row.name === name);
  return { ...record, name, table, isRequired, state: judgeBackfill(backfill, facts) };
}

async function withStatusSession<T>(target: MigrationTarget, read: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectMigrator(target, 'status');
  try {
    return await read(client);
  } finally {
    await client.end();
  }
}

async function loadRestorable(client: Client): Promise<RestorableBackup | null> {
  if (!(await hasTable(client, 'ops.restorable_backups'))) return null;
  const { rows } = await client.query<RestorableBackup>(
    `SELECT name, taken_at AS "takenAt", proved_at AS "provedAt",
            (pg_catalog.to_jsonb(b) ->> 'restore_ms')::pg_catalog.float8 AS "restoreMs"
       FROM ops.restorable_backups b ORDER BY taken_at DESC LIMIT 1`,
  );
  return rows[0] ?? null;
}

async function readServerMajor(client: Client): Promise<number> {
  const { rows } = await client.query<{ major: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major`,
  );
  return rows[0]!.major;
}

async function loadArchiveState(client: Client): Promise<ArchiveState | null> {
  const { rows } = await client.query<ArchiveState>(
    `SELECT coalesce(last_failed_time >= coalesce(last_archived_time, '-infinity'), false) AS "isFailing", failed_count::int AS failures,
            last_archived_wal AS "lastArchived", last_archived_time AS "lastArchivedAt"
       FROM pg_catalog.pg_stat_archiver WHERE pg_catalog.current_setting('archive_mode') <> 'off'`,
  );
  return rows[0] ?? null;
}

function compare(
  migrations: readonly Migration[],
  facts: { applied: readonly AppliedMigration[]; rehearsals: ReadonlyMap<string, RehearsalVerdict> },
): MigrationStatus[] {
  const { applied, rehearsals } = facts;
  const code = new Map(migrations.map((migration) => [migration.name, migration]));
  const done = new Set(applied.map(({ name }) => name));
  const past = applied.map(({ name, phase, sha256, appliedAt, durationMs, commit, actor }): MigrationStatus => {
    const known = code.get(name);
    const state = known === undefined ? 'unknown' : known.sha256 === sha256 ? 'applied' : 'edited';
    return { name, phase, state, appliedAt, durationMs, commit, actor };
  });
  const future = migrations
    .filter(({ name }) => !done.has(name))
    .map(({ name, phase }): MigrationStatus => ({ name, phase, state: 'pending' }));
  return [...past, ...future]
    .map((status) => {
      const rehearsal = rehearsals.get(code.get(status.name)?.sha256 ?? '');
      return rehearsal ? { ...status, rehearsal } : status;
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
