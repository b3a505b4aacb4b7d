import { setTimeout as sleep } from 'node:timers/promises';
import { environmentsWith, listNames } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../connect/client.js';
import { loadPlan } from '../migrate/database-status.js';
import type { OnEvent } from '../migrate/events.js';
import { createProvenance, migrate } from '../migrate/migrate.js';
import type { Migration } from '../model/migration.js';
import { MigrationError, MigrationRefusal } from '../model/migration-error.js';
import type { Model } from '../model/product-model.js';
import { adoptBeside } from '../provision/provision.js';
import { assertTarget, locateCopy, moveConfig, type CopyPlace } from '../refresh/refresh.js';
import { RefreshRefusal } from '../refresh/refresh-errors.js';
import { cloneAside, lockTarget, removeTrial, trialOf } from '../refresh/swap.js';
import { ensureLedger, hasTable } from '../runner/ledger.js';
import { connectMigrator, type MigrationTarget, withOwner } from '../runner/session.js';
import { findTouchedTables, type LoadTable } from './load-tables.js';
import { type Load, startLoad, summarise } from './run-load.js';
import { BLOCKS_WRITES } from '../model/lock-modes.js';
import { type ObservedStatement, observeStatements } from './observe-statements.js';
import { forgetRehearsals, type Rehearsal, saveRehearsals } from '../migrate/rehearsal-record.js';

export interface RehearseOptions extends MigrationTarget, Pick<Model, 'migrations'>, Partial<Pick<Model, 'backfills'>> {
  readonly to?: string | undefined;
  readonly actor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent;
  /** How long the load runs before the first migration, to know its usual times. */
  readonly usualMs?: number;
}

export interface RehearsalReport {
  readonly database: string;
  readonly rehearsals: readonly Rehearsal[];
}

const USUAL_MS = 5_000;

/**
 * Runs the pending migrations on a clone of a refreshed database, while a small load reads and writes their tables, and
 * records their effects. The database itself gets nothing but that record.
 *
 * @throws RefreshRefusal or MigrationRefusal before anything is changed
 */
export async function rehearse(options: RehearseOptions): Promise<RehearsalReport> {
  const { config, expected, migrations, backfills, to } = options;
  const place = locateCopy(config);
  const { database } = place.app;
  await assertTarget(config, place);
  const pending = await loadPlan({ config, expected, migrations, backfills, to });
  if (pending.length === 0) return { database, rehearsals: [] };
  const refreshedAt = await withOwner({ config }, 'rehearse', async (client) => {
    const at = await assertRefreshed(client);
    await ensureLedger(client);
    await forgetRehearsals(
      client,
      pending.map(({ sha256 }) => sha256),
    );
    return at;
  });
  const rehearsals = await withClone(place, () =>
    measure({ ...options, config: moveConfig(config, trialOf(database)) }, { pending, refreshedAt }),
  ).catch((cause: unknown) => {
    if (cause instanceof RefreshRefusal) throw cause;
    const error = cause instanceof Error ? cause.message : String(cause);
    const message = options.signal?.aborted ? 'interrupted' : error;
    throw new MigrationError(`rehearsal of "${database}", on a clone that is dropped: ${message}`, { cause });
  });
  await withOwner({ config }, 'rehearse', (client) => saveRehearsals(client, rehearsals, createProvenance(options)));
  return { database, rehearsals };
}

/** @throws MigrationRefusal unless a refresh filled this database with the rows of all persons */
async function assertRefreshed(client: Client): Promise<Date> {
  const { rows } = (await hasTable(client, 'ops.refreshed'))
    ? await client.query<{ percent: number; at: Date }>('SELECT percent, refreshed_at AS at FROM ops.refreshed')
    : { rows: [] };
  const [copy] = rows;
  if (copy?.percent === 100) return copy.at;
  const found =
    copy === undefined ? 'was not filled by airlock db refresh' : `has the rows of ${copy.percent} % of the persons`;
  throw new MigrationRefusal(
    `database "${String(client.database)}": ${found}; expected a copy of the size of ${listNames(environmentsWith('feedsCopies'))}\n` +
      '  airlock db refresh   # from the release that serves there, then rehearse the new one',
  );
}

/** Holds the lock of refreshes: both use the names beside the database. */
function withClone<T>(place: CopyPlace, use: () => Promise<T>): Promise<T> {
  const { database } = place.app;
  return withClient(place.admin, place.context, async (admin) => {
    await lockTarget(admin, database);
    await removeTrial(admin, place);
    try {
      await withClient(place.admin, place.context, (kicker) => cloneAside(admin, { kicker, database }));
      await adoptBeside(place, trialOf(database));
      return await use();
    } finally {
      await removeTrial(admin, place);
    }
  });
}

interface Trial {
  readonly pending: readonly Migration[];
  readonly refreshedAt: Date;
}

async function measure(options: RehearseOptions, { pending, refreshedAt }: Trial): Promise<Rehearsal[]> {
  const { config, signal, usualMs = USUAL_MS, onEvent = () => {} } = options;
  const tables = await withOwner({ config }, 'rehearse', (client) => findTouchedTables(client, pending));
  const watcher = await connectMigrator({ config }, 'rehearse-watch');
  const observer = observeStatements(watcher);
  try {
    const load = await startLoad(config, tables);
    const startMs = performance.now();
    try {
      await sleep(tables.length === 0 ? 0 : usualMs, undefined, { signal });
      const usualUntilMs = performance.now();
      await migrate({
        ...options,
        around: observer.around,
        onEvent: (event) => (observer.onEvent(event), onEvent(event)),
      });
      // Operations that still wait have begun by now, and end soon.
      await load.stop();
      const usualP99Ms = summarise(
        load.samples.filter(({ endMs }) => endMs < usualUntilMs),
        startMs,
        usualUntilMs,
      ).p99Ms;
      return pending.map((migration) => ({
        ...{ name: migration.name, sha256: migration.sha256, refreshedAt, usualP99Ms },
        ...report(
          observer.statements.filter((one) => one.migration === migration),
          { load, tables },
        ),
      }));
    } finally {
      await load.stop().catch(() => undefined);
    }
  } finally {
    await watcher.end();
  }
}

function report(
  statements: readonly ObservedStatement[],
  { load, tables }: { load: Load; tables: readonly LoadTable[] },
): Pick<Rehearsal, 'longestWaitMs' | 'p99Ms' | 'statements'> {
  const rehearsed = statements.map((one, index) => {
    const { startMs, endMs, releasedMs, migration, rewritten, scanned } = one;
    const untilMs = statements[index + 1]?.startMs ?? releasedMs;
    return {
      statement: `${one.index + 1}, ${migration.statements[one.index]!.sql.split(/\s+/).slice(0, 3).join(' ')}`,
      durationMs: endMs - startMs,
      locks: one.locks.map(({ table, mode, heldMs = releasedMs - startMs }) => ({
        ...{ table, mode, heldMs, isLoaded: load.tables.has(table) },
        rows: tables.find((known) => known.table === table)?.rows ?? null,
      })),
      ...{ rewritten, scanned, load: summarise(load.samples, startMs, untilMs) },
    };
  });
  // Without a load on the table, another session could have waited for as long as the lock was held.
  const unseen = rehearsed.flatMap(({ locks }) =>
    locks.filter(({ mode, isLoaded }) => BLOCKS_WRITES.has(mode) && !isLoaded).map(({ heldMs }) => heldMs),
  );
  const { longestMs, p99Ms } = summarise(load.samples, statements[0]?.startMs ?? 0, statements.at(-1)?.releasedMs ?? 0);
  return { longestWaitMs: Math.max(longestMs, ...unseen), p99Ms, statements: rehearsed };
}
