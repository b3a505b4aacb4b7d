import type { Client } from 'pg';
import { readUserName } from '@airlock/config';
import { finishBackfills } from '../backfill/finish-backfills.js';
import { loadBackfills } from '../backfill/backfill-progress.js';
import { applyMigration, type ApplyContext, type AroundStatement } from './apply-migration.js';
import type { OnEvent } from './events.js';
import { finishRun, startRun } from './migration-journal.js';
import { type AppliedMigration, type Provenance, ensureLedger, loadLedger } from '../runner/ledger.js';
import { backendPid, type LockHolder, withRunnerLock } from '../runner/lock.js';
import type { Migration } from '../model/migration.js';
import type { Model } from '../model/product-model.js';
import { assertBackedUp } from './recent-backup.js';
import { isUnshared, planMigrations } from './plan.js';
import { connectMigrator, type MigrationTarget, withOwner } from '../runner/session.js';
import { DEFAULT_TIMING, type Timing } from '../runner/timing.js';

export interface MigrateOptions extends MigrationTarget, Pick<Model, 'migrations'>, Partial<Pick<Model, 'backfills'>> {
  /** Stop after this one. */
  readonly to?: string | undefined;
  /** The actor, for the journal; the operating system user by default. */
  readonly actor?: string | undefined;
  readonly timing?: Partial<Timing>;
  /** Cancels the current statement, rolls back and throws. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent;
  /** For a rehearsal. */
  readonly around?: AroundStatement | undefined;
}

export interface MigrationReport {
  readonly database: string;
  readonly applied: readonly { readonly name: string; readonly durationMs: number }[];
  /** The last migration that is applied now. */
  readonly head: string | undefined;
}

/**
 * Brings the database to the state of this code. Safe to repeat, to run concurrently, and to interrupt at any point.
 */
export async function migrate(options: MigrateOptions): Promise<MigrationReport> {
  const { signal, around, onEvent = () => {} } = options;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const lockSession = await connectMigrator(options, 'migrate-lock');
  const lockOptions = {
    waitMs: timing.lockWaitMs,
    pollMs: timing.lockPollMs,
    heartbeatMs: timing.heartbeatMs,
    signal,
    onWaiting: (holder: LockHolder) => onEvent({ type: 'waiting', holder }),
  };
  try {
    return await withRunnerLock(lockSession, lockOptions, (lock) =>
      withOwner(options, 'migrate', (client) =>
        applyPending(options, { client, lock, timing, by: createProvenance(options), signal, onEvent, around }),
      ),
    );
  } finally {
    await lockSession.end();
  }
}

/** Reads everything again under the lock, because another runner may have just finished. */
async function applyPending(options: MigrateOptions, context: ApplyContext): Promise<MigrationReport> {
  const { client, lock, by, signal, onEvent } = context;
  const { config, to, migrations, backfills = [] } = options;
  await ensureLedger(client);
  const ledger = await loadLedger(client);
  const { environment } = config;
  const records = await loadBackfills(client);
  const pending = planMigrations({ migrations, backfills, applied: ledger, records, environment, to });
  await assertBackedUp(client, { config, pending, applied: ledger });
  onEvent({ type: 'planned', names: pending.map(({ name }) => name) });
  const finish = async (names?: readonly string[]) => {
    if (isUnshared({ environment, applied: ledger })) await finishBackfills({ migrations, backfills, names }, context);
  };
  if (pending.length === 0) {
    await finish();
    return createReport(client, ledger, []);
  }
  const run = await startRun(client, { planned: pending.map(({ name }) => name), by });
  lock.watch(backendPid(client));
  signal?.addEventListener('abort', () => void lock.cancelWatched().catch(() => {}), { once: true });
  try {
    const applied = await applyInOrder(pending, context, finish);
    await finish();
    await finishRun(client, run);
    return createReport(client, ledger, applied);
  } catch (error) {
    // The journal may be unreachable now; the next run then records this one as interrupted.
    await finishRun(client, run, error as Error).catch(() => {});
    throw error;
  }
}

async function applyInOrder(
  pending: readonly Migration[],
  context: ApplyContext,
  finish: (backfills: readonly string[]) => Promise<void>,
): Promise<MigrationReport['applied']> {
  const applied = [];
  for (const migration of pending) {
    context.signal?.throwIfAborted();
    await context.lock.assertHeld();
    await finish(migration.backfills);
    applied.push({ name: migration.name, durationMs: await applyMigration(migration, context) });
  }
  return applied;
}

function createReport(
  client: Client,
  before: readonly AppliedMigration[],
  applied: MigrationReport['applied'],
): MigrationReport {
  const head = applied.at(-1)?.name ?? before.at(-1)?.name;
  return { database: String(client.database), applied, head };
}

export function createProvenance({ config, actor }: Pick<MigrateOptions, 'config' | 'actor'>): Provenance {
  const { commit, imageDigest } = config.build;
  return { commit, imageDigest, actor: actor ?? readUserName() };
}
