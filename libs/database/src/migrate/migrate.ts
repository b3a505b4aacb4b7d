import { userInfo } from 'node:os';
import type { Client } from 'pg';
import type { Config } from '@airlock/config';
import { migrations as shippedMigrations } from '../migrations/index.js';
import { LEDGER_SQL, type Provenance, claimMigration, hasLedger, loadLedger, recordDuration } from './ledger.js';
import { withMigrationLock, type LockHolder } from './lock.js';
import type { Migration } from './migration.js';
import { planMigrations } from './plan.js';
import { becomeOwner, connectMigrator } from './session.js';

const SECOND = 1_000;
const LOCK_POLL_MS = 200;
const LOCK_WAIT_MS = 600 * SECOND;

export interface MigrateOptions {
  readonly config: Config;
  /** The ones that ship, unless a test says otherwise. */
  readonly migrations?: readonly Migration[];
  readonly to?: string;
  readonly actor?: string;
  readonly onWaiting?: (holder: LockHolder) => void;
}

export interface MigrationReport {
  readonly database: string;
  readonly applied: readonly { name: string; durationMs: number }[];
  /** The last migration that the database now holds. */
  readonly head: string | undefined;
}

/** Brings the database to the state of this code. Safe to run many times, and by many at once. */
export async function migrate(options: MigrateOptions): Promise<MigrationReport> {
  const { config, onWaiting } = options;
  const lockSession = await connectMigrator(config, 'migrate-lock');
  try {
    return await withMigrationLock(
      lockSession,
      { waitMs: LOCK_WAIT_MS, pollMs: LOCK_POLL_MS, onWaiting },
      async (lock) => {
        const client = await connectMigrator(config, 'migrate');
        try {
          await becomeOwner(client);
          return await applyPending(client, options, () => lock.assertHeld());
        } finally {
          await client.end();
        }
      },
    );
  } finally {
    await lockSession.end();
  }
}

async function applyPending(
  client: Client,
  options: MigrateOptions,
  assertHeld: () => Promise<void>,
): Promise<MigrationReport> {
  const { config, to, migrations = shippedMigrations } = options;
  if (!(await hasLedger(client))) await client.query(LEDGER_SQL);
  const ledger = await loadLedger(client);
  const pending = planMigrations({ migrations, applied: ledger, environment: config.environment, to });
  const by = {
    commit: config.build.commit,
    imageDigest: config.build.imageDigest,
    actor: options.actor ?? userInfo().username,
  };
  const applied = [];
  for (const migration of pending) {
    await assertHeld();
    applied.push({ name: migration.name, durationMs: await applyMigration(client, migration, by) });
  }
  return {
    database: String(client.database),
    applied,
    head: applied.at(-1)?.name ?? ledger.at(-1)?.name,
  };
}

async function applyMigration(client: Client, migration: Migration, by: Provenance): Promise<number> {
  const start = performance.now();
  await client.query('BEGIN');
  try {
    await client.query(
      `SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '30s'; SET LOCAL row_security = off`,
    );
    await claimMigration(client, migration, by);
    for (const { sql } of migration.statements) await client.query(sql);
    await recordDuration(client, migration.name, performance.now() - start);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
  return performance.now() - start;
}
