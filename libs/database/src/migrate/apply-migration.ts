import { describeBlockers } from '../runner/blocking-sessions.js';
import pg from 'pg';
import { dropInvalidIndexes } from './concurrent-index.js';
import { findMisplacedExtension } from './extension-schema.js';
import { type OnEvent } from './events.js';
import { claimMigration, recordDuration, type Provenance } from '../runner/ledger.js';
import type { RunnerLock } from '../runner/lock.js';
import type { Migration } from '../model/migration.js';
import { MigrationError } from '../model/migration-error.js';
import { withRetries } from './retry.js';
import type { Timing } from '../runner/timing.js';

export interface ApplyContext {
  readonly client: pg.Client;
  readonly lock: RunnerLock;
  readonly timing: Timing;
  readonly by: Provenance;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: OnEvent;
  /** Runs each statement of a migration, and may look at the session before and after it. */
  readonly around?: AroundStatement | undefined;
}

export type AroundStatement = (
  at: { readonly client: pg.Client; readonly migration: Migration; readonly index: number },
  run: () => Promise<unknown>,
) => Promise<unknown>;

/** Applies and records one migration, or changes nothing. Returns the duration in milliseconds. */
export async function applyMigration(migration: Migration, context: ApplyContext): Promise<number> {
  const { lock, timing, signal, onEvent } = context;
  const { name } = migration;
  const attempt = migration.transactional ? applyInTransaction : applyAlone;
  onEvent({ type: 'started', name });
  const durationMs = await withRetries(
    timing,
    { signal, onRetry: (retry) => onEvent({ type: 'retrying', name, ...retry, blockers: lock.takeBlockers() }) },
    () => attempt(migration, context),
  ).catch((cause: unknown) => {
    throw describeFailure(cause, lock, signal);
  });
  onEvent({ type: 'applied', name, durationMs });
  return durationMs;
}

async function applyInTransaction(migration: Migration, context: ApplyContext): Promise<number> {
  const { client, timing, by } = context;
  const start = performance.now();
  await client.query('BEGIN');
  try {
    await client.query(createLimits(migration, timing));
    await claimMigration(client, migration, by);
    await runStatements(migration, context);
    await recordDuration(client, migration.name, performance.now() - start);
    await client.query('COMMIT');
  } catch (error) {
    // The connection itself may have failed; then there is nothing to roll back.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
  return performance.now() - start;
}

/** Safe to repeat after an interruption: a migration outside a transaction is one idempotent statement. */
async function applyAlone(migration: Migration, context: ApplyContext): Promise<number> {
  const { client, timing, by, onEvent } = context;
  const start = performance.now();
  const cleanUp = async () => {
    for (const index of await dropInvalidIndexes(client, migration))
      onEvent({ type: 'dropped-invalid-index', name: migration.name, index });
  };
  await client.query(`SET statement_timeout = ${timing.longStatementTimeoutMs}`);
  // No lock timeout: the statement waits for old transactions and blocks no other session while it waits.
  await client.query('SET lock_timeout = 0');
  await cleanUp();
  try {
    await runStatements(migration, context);
  } catch (error) {
    // If the cleanup fails now, the next run cleans up.
    await cleanUp().catch(() => {});
    throw error;
  }
  await claimMigration(client, migration, by);
  await recordDuration(client, migration.name, performance.now() - start);
  return performance.now() - start;
}

/** row_security off: a data change that a policy would silently narrow fails. Only a contract may drop. */
export function createRights({ phase }: Migration): string {
  return `SET LOCAL row_security = off; ${phase === 'contract' ? `SET LOCAL ops.allow_drop = 'on';` : ''}`;
}

function createLimits(migration: Migration, timing: Timing): string {
  const validates = migration.statements.every(({ sql }) => /\bVALIDATE\s+CONSTRAINT\b/i.test(sql));
  const statementMs = validates ? timing.longStatementTimeoutMs : timing.statementTimeoutMs;
  return `
    SET LOCAL lock_timeout = ${timing.lockTimeoutMs};
    SET LOCAL statement_timeout = ${statementMs};
    SET LOCAL transaction_timeout = ${statementMs * 4};
    SET LOCAL idle_in_transaction_session_timeout = ${timing.statementTimeoutMs};
    ${createRights(migration)}`;
}

async function runStatements(
  migration: Migration,
  { client, around = (_, run) => run() }: ApplyContext,
): Promise<void> {
  const { name, statements } = migration;
  for (const [index, { sql }] of statements.entries()) {
    const where = `${name}: statement ${index + 1} of ${statements.length}, ${describeStatement(sql)}`;
    await around({ client, migration, index }, () => client.query(sql)).catch((cause: unknown) => {
      const code = cause instanceof pg.DatabaseError ? ` (${cause.code ?? ''})` : '';
      throw new MigrationError(`${where}: ${cause instanceof Error ? cause.message : String(cause)}${code}`, { cause });
    });
    const misplaced = await findMisplacedExtension(client, sql);
    if (misplaced !== undefined) throw new MigrationError(`${where}: ${misplaced}`);
  }
}

/** Only the first words: enough to identify the statement, without data. */
function describeStatement(sql: string): string {
  return sql.split(/\s+/).slice(0, 3).join(' ');
}

function describeFailure(cause: unknown, lock: RunnerLock, signal: AbortSignal | undefined): MigrationError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const why = signal?.aborted ? 'interrupted; ' : '';
  return new MigrationError(
    `${why}${message}${describeBlockers(lock.takeBlockers())}; this migration was not applied, earlier ones remain applied\n` +
      `  Fix the cause and run it again: airlock db migrate`,
    { cause },
  );
}
