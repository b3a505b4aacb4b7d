import { pipeline } from 'node:stream/promises';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { type Accepts, listSourceColumns, listTargetColumns, MaskRows } from './mask-rows.js';
import type { TablePlan } from './plan-copy.js';
import { RefreshFailure } from './refresh-errors.js';
import { describeLoss, describeShortage, findLost, isShortage } from './lost-session.js';

export interface CopyTableOptions {
  readonly source: Client;
  readonly target: Client;
  readonly accepts: Accepts;
  /** The rows to copy, as the part of a query after the name of the table; all of them by default. */
  readonly where?: string | undefined;
  readonly onRows: (rows: number) => void;
  /** Sees the rows of the source as they come. */
  readonly watch: (chunk: Buffer) => void;
}

/** Rows of a table that this transaction emptied need no second visit, which would write every page again. */
const FREEZE = 'WITH (FREEZE)';

/** Streams one table through its masks. The memory that it takes does not depend on the number of rows. */
export async function copyTable(
  plan: TablePlan,
  { source, target, accepts, where = '', onRows, watch }: CopyTableOptions,
): Promise<void> {
  const table = `public.${escapeIdentifier(plan.table)}`;
  const read = listSourceColumns(plan).map(escapeIdentifier).join(', ');
  const written = listTargetColumns(plan).map(escapeIdentifier).join(', ');
  try {
    await target.query(`BEGIN; TRUNCATE ${plan.kind === 'p' ? '' : 'ONLY '}${table}`);
    // Both begin in this turn: an error of one before the pipeline listens would be lost.
    const out = source.query(
      copyTo(`COPY (SELECT ${read} FROM ${plan.kind === 'p' ? '' : 'ONLY '}${table} t ${where}) TO STDOUT`),
    );
    const into = target.query(copyFrom(`COPY ${table} (${written}) FROM STDIN ${plan.kind === 'p' ? '' : FREEZE}`));
    out.on('data', watch);
    await pipeline(out, new MaskRows(plan, { accepts, onRows }), into);
    await target.query('COMMIT');
  } catch (error) {
    throw describe(error, plan.table, await findLost(error, target));
  }
}

/** A message about a constraint names it; others may quote a value of the row. */
function describe(error: unknown, table: string, lost: 'source' | 'target' | undefined): Error {
  if (error instanceof RefreshFailure) return error;
  if (lost) return describeLoss(lost, table, error);
  const { code, constraint, column } = error as DatabaseError;
  if (isShortage(error as DatabaseError)) return describeShortage(table, error as DatabaseError);
  const where = [table, column].filter(Boolean).join('.');
  const why = constraint === undefined ? `PostgreSQL error ${code}` : `constraint ${constraint} refuses a row`;
  return new RefreshFailure('CopyFailed', `${where}: ${why}; expected masks and values that fit every row`);
}
