import type { Environment } from '@airlock/config';
import type { Client } from 'pg';
import { type AppliedMigration, hasTable, loadLedger } from './ledger.js';
import type { Migration, MigrationPhase } from '../model/migration.js';
import type { Model } from '../model/product-model.js';
import { planMigrations } from './plan.js';
import { judgeSchema, type SchemaVerdict } from './schema-range.js';
import { connectMigrator, isProvisioned, type MigrationTarget } from './session.js';

export interface StatusOptions extends MigrationTarget, Pick<Model, 'migrations'> {}

export interface MigrationStatus {
  readonly name: string;
  readonly phase: MigrationPhase;
  /** `edited`: the statements that ran differ from the file. `unknown`: this code has no such file. */
  readonly state: 'applied' | 'pending' | 'edited' | 'unknown';
  readonly appliedAt?: Date;
  readonly durationMs?: number;
  readonly commit?: string | null;
  readonly actor?: string;
}

export interface DatabaseStatus {
  readonly database: string;
  readonly environment: Environment;
  /** False if `airlock db provision` must run before the migrations. */
  readonly isProvisioned: boolean;
  readonly migrations: readonly MigrationStatus[];
  readonly verdict: SchemaVerdict;
  /** The newest backup that a drill has restored. */
  readonly restorable: RestorableBackup | null;
}

export interface RestorableBackup {
  readonly name: string;
  readonly takenAt: Date;
  readonly provedAt: Date;
}

/** Reads only. */
export async function loadStatus(options: StatusOptions): Promise<DatabaseStatus> {
  const { migrations, config } = options;
  const { applied, ...facts } = await withStatusSession(options, async (client) => ({
    applied: await loadLedger(client),
    isProvisioned: await isProvisioned(client),
    restorable: await loadRestorable(client),
  }));
  return {
    database: config.database.app.database,
    environment: config.environment,
    ...facts,
    migrations: compare(migrations, applied),
    verdict: judgeSchema(applied, migrations),
  };
}

/** The migrations that a run would apply. @throws MigrationRefusal where the run would be refused */
export async function loadPlan(options: StatusOptions & { to?: string | undefined }): Promise<readonly Migration[]> {
  const { migrations, config, to } = options;
  const applied = await withStatusSession(options, loadLedger);
  return planMigrations({ migrations, applied, environment: config.environment, to });
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
    `SELECT name, taken_at AS "takenAt", proved_at AS "provedAt" FROM ops.restorable_backups ORDER BY taken_at DESC LIMIT 1`,
  );
  return rows[0] ?? null;
}

function compare(migrations: readonly Migration[], applied: readonly AppliedMigration[]): MigrationStatus[] {
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
  return [...past, ...future].sort((a, b) => (a.name < b.name ? -1 : 1));
}
