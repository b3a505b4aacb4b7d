import type { Client } from 'pg';
import { readUserName } from '@airlock/config';
import { ensureLedger, loadLedger } from '../runner/ledger.js';
import { backendPid, type LockKind, type RunnerLock, withRunnerLock } from '../runner/lock.js';
import { connectMigrator, type MigrationTarget, withOwner } from '../runner/session.js';
import type { Backfill } from '../model/backfill.js';
import type { Model } from '../model/product-model.js';
import { tryBatch } from './batch.js';
import type { OnBackfillEvent } from './backfill-events.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { forgetProgress, loadBackfills } from './backfill-progress.js';
import { assertBackfillCatalogue, judgeBackfill } from './requirements.js';
import { assertMayBackfill } from './visible-rows.js';
import { walk } from './walk.js';
import { planWalk } from './walk-plan.js';
import { MigrationRefusal } from '../model/migration-error.js';

export interface BackfillTarget extends MigrationTarget, Pick<Model, 'migrations' | 'backfills'> {
  readonly name: string;
}

export interface BackfillOptions extends BackfillTarget {
  /** Forgets how far it is, and walks all rows. */
  readonly isRestart?: boolean | undefined;
  /** The actor, for the journal; the operating system user by default. */
  readonly actor?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Cancels the current batch, rolls it back and throws. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnBackfillEvent;
}

export interface BackfillReport {
  readonly database: string;
  readonly name: string;
  /** In all passes and runs. */
  readonly changed: number;
  readonly completedAt: Date | null;
}

/** One backfill at a time in a database: two would double the load that each keeps within bounds. */
const BACKFILL_LOCK: LockKind = {
  key: [0x6169726c, 0x6266],
  name: 'backfill lock',
  loss: 'expected it to last until the last batch\n  Run it again: it goes on after the last batch.',
};

/** Runs a backfill until it is complete. Safe to repeat, and to interrupt at any point: the next run goes on after the last batch. */
export async function runBackfill(options: BackfillOptions): Promise<BackfillReport> {
  const { config, signal, actor, onEvent = () => {} } = options;
  const backfill = assertBackfill(options);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const by = { commit: config.build.commit, imageDigest: config.build.imageDigest, actor: actor ?? readUserName() };
  const run = async (client: Client, lock: RunnerLock) => {
    await ensureLedger(client);
    if (options.isRestart) await forgetProgress(client, backfill);
    if (!(await isDone(client, backfill, options))) {
      signal?.addEventListener('abort', () => void lock.cancelWatched().catch(() => {}), { once: true });
      lock.watch(backendPid(client));
      await walk(backfill, { client, lock, limits, by, signal, onEvent });
    }
    return createReport(client, backfill);
  };
  const lockSession = await connectMigrator(options, `backfill ${backfill.name}`);
  const { lockWaitMs: waitMs, lockPollMs: pollMs, heartbeatMs } = limits;
  try {
    return await withRunnerLock(lockSession, { kind: BACKFILL_LOCK, waitMs, pollMs, heartbeatMs, signal }, (lock) =>
      withOwner(options, 'backfill-batch', (client) => run(client, lock)),
    );
  } finally {
    await lockSession.end();
  }
}

export interface BackfillPlan {
  readonly name: string;
  readonly table: string;
  readonly key: readonly string[];
  readonly role: string;
  readonly expectedRows: number | undefined;
  readonly sql: string;
  /** Of the first rows of the table. */
  readonly firstBatch: { readonly rows: number; readonly changed: number };
}

/** Runs the first batch and rolls it back. Changes nothing. */
export async function loadBackfillPlan(options: BackfillTarget): Promise<BackfillPlan | undefined> {
  const backfill = assertBackfill(options);
  return withOwner(options, 'backfill-plan', async (client) => {
    if (await isDone(client, backfill, options)) return undefined;
    return planBackfill(client, backfill);
  });
}

/** @param client a session of the owner */
export async function planBackfill(client: Client, backfill: Backfill): Promise<BackfillPlan> {
  await assertMayBackfill(client);
  const plan = await planWalk(client, backfill);
  const context = { client, plan, limits: DEFAULT_LIMITS, batchRows: DEFAULT_LIMITS.firstBatchRows };
  const { rows, changed } = await tryBatch(backfill, context);
  const { table, key, role = 'the owner', expectedRows } = plan;
  const sql = plan.change(true).replaceAll(/^ {6}/gm, '').trim();
  return { name: backfill.name, table, key, role, expectedRows, sql, firstBatch: { rows, changed } };
}

/** @throws MigrationRefusal naming the backfills that exist */
export function assertBackfill({ name, migrations, backfills }: BackfillTarget): Backfill {
  assertBackfillCatalogue(migrations, backfills);
  const found = backfills.find((backfill) => backfill.name === name);
  if (found) return found;
  const known =
    backfills.length === 0
      ? 'there is none yet: airlock new backfill NAME'
      : backfills.map((one) => one.name).join('\n  ');
  throw new MigrationRefusal(`${name}: not a backfill of this code; expected one of\n  ${known}`);
}

/** @throws MigrationRefusal if it cannot run in this database */
async function isDone(client: Client, backfill: Backfill, { migrations }: BackfillTarget): Promise<boolean> {
  const [applied, records] = [await loadLedger(client), await loadBackfills(client)];
  const state = judgeBackfill(backfill, { migrations, applied, records });
  if (state === 'complete') return true;
  if (!applied.some(({ name }) => name === backfill.follows))
    throw new MigrationRefusal(
      `${backfill.name}: follows ${backfill.follows}, which is not applied; expected it to be\n  airlock db migrate`,
    );
  return false;
}

async function createReport(client: Client, { name }: Backfill): Promise<BackfillReport> {
  const record = (await loadBackfills(client)).find((row) => row.name === name);
  return {
    database: String(client.database),
    name,
    changed: record?.changed ?? 0,
    completedAt: record?.completedAt ?? null,
  };
}
