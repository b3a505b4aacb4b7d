import { type Client, escapeIdentifier } from 'pg';
import { MigrationError } from '../model/migration-error.js';
import type { Backfill } from '../model/backfill.js';
import type { Limits } from './limits.js';
import { lockPosition, type WalkPosition, recordPass, recordStep } from './backfill-progress.js';
import type { WalkPlan } from './walk-plan.js';

export interface BatchResult {
  /** Before the batch. */
  readonly position: WalkPosition;
  /** 0 at the end of a pass. */
  readonly rows: number;
  readonly changed: number;
  readonly durationMs: number;
}

export interface BatchContext {
  readonly client: Client;
  readonly limits: Limits;
  readonly plan: WalkPlan;
  readonly batchRows: number;
}

/** Changes and records the next rows, or the end of a pass, in one transaction. */
export async function runBatch(backfill: Backfill, context: BatchContext): Promise<BatchResult> {
  const { client } = context;
  const start = performance.now();
  await client.query('BEGIN');
  try {
    await client.query(createLimits(context));
    const position = await lockPosition(client, backfill);
    const step = position.completedAt ? undefined : await changeRows(backfill, context, position);
    if (step) await recordStep(client, backfill, step);
    else if (!position.completedAt) await recordPass(client, backfill, position);
    await client.query('COMMIT');
    const { rows, changed } = step ?? { rows: 0, changed: 0 };
    return { position, rows, changed, durationMs: performance.now() - start };
  } catch (error) {
    // The connection itself may have failed; then there is nothing to roll back.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Changes the rows of the first batch and rolls back. */
export async function tryBatch(backfill: Backfill, context: BatchContext): Promise<{ rows: number; changed: number }> {
  const { client } = context;
  await client.query('BEGIN');
  try {
    await client.query(createLimits(context));
    return (await changeRows(backfill, context, { lastKey: null })) ?? { rows: 0, changed: 0 };
  } finally {
    await client.query('ROLLBACK').catch(() => {});
  }
}

/** As the owner, a statement that a policy would narrow fails. The system's policies show it all rows. */
function createLimits({ limits, plan: { role } }: BatchContext): string {
  return `
    SET LOCAL lock_timeout = ${limits.lockTimeoutMs};
    SET LOCAL statement_timeout = ${limits.statementTimeoutMs};
    SET LOCAL transaction_timeout = ${limits.statementTimeoutMs * 2};
    SET LOCAL idle_in_transaction_session_timeout = ${limits.statementTimeoutMs};
    SET LOCAL row_security = ${role === undefined ? 'off' : 'on'};`;
}

/** Undefined at the end of the table. */
async function changeRows(
  backfill: Backfill,
  { client, plan, batchRows }: BatchContext,
  { lastKey }: Pick<WalkPosition, 'lastKey'>,
): Promise<{ lastKey: readonly string[]; rows: number; changed: number } | undefined> {
  const last = lastKey ?? [];
  const owner = plan.role === undefined ? undefined : await becomeRole(client, plan.role);
  const found = await client.query<{ lastKey: string[]; rows: number }>(plan.bound(last.length > 0), [
    batchRows,
    ...last,
  ]);
  const [bound] = found.rows;
  if (bound === undefined) {
    if (owner !== undefined) await becomeRole(client, owner);
    return undefined;
  }
  const { rows } = await client.query<{ changed: number; unmet: number }>(plan.change(last.length > 0), [
    ...bound.lastKey,
    ...last,
  ]);
  const { changed = 0, unmet = 0 } = rows[0] ?? {};
  if (unmet > 0) throw new MigrationError(describeUnmet(backfill, { changed, unmet }));
  if (owner !== undefined) await becomeRole(client, owner);
  return { ...bound, changed };
}

/** Until the end of the transaction. Returns the role before it. */
async function becomeRole(client: Client, role: string): Promise<string> {
  const { rows } = await client.query<{ role: string }>('SELECT current_user AS role');
  await client.query(`SET LOCAL ROLE ${escapeIdentifier(role)}`);
  return String(rows[0]?.role);
}

function describeUnmet({ name, where }: Backfill, { changed, unmet }: { changed: number; unmet: number }): string {
  return (
    `${name}: its change leaves ${unmet} of ${changed} rows as they were for its condition (${where}); expected rows that no longer meet it\n` +
    '  The batch was rolled back. Give each of those rows a value, such as coalesce(…, default), or leave them out in where.'
  );
}
