import { pipeline } from 'node:stream/promises';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { type Accepts, listSourceColumns, listTargetColumns, MaskRows } from './mask-rows.js';
import type { TablePlan } from './plan-copy.js';
import { RefreshFailure } from './refresh-errors.js';

/** SQLSTATE of an operator who ends sessions, or a server that stops. */
const SESSION_ENDED = '57P';

export interface CopyTableOptions {
  readonly source: Client;
  readonly target: Client;
  readonly accepts: Accepts;
  /** The rows to copy, as the part of a query after the name of the table; all of them by default. */
  readonly where?: string | undefined;
  readonly onRows: (rows: number) => void;
}

/** Streams one table through its masks. The memory that it takes does not depend on the number of rows. */
export async function copyTable(
  plan: TablePlan,
  { source, target, accepts, where = '', onRows }: CopyTableOptions,
): Promise<void> {
  const table = `public.${escapeIdentifier(plan.table)}`;
  const read = listSourceColumns(plan).map(escapeIdentifier).join(', ');
  const written = listTargetColumns(plan).map(escapeIdentifier).join(', ');
  const out = source.query(
    copyTo(`COPY (SELECT ${read} FROM ${plan.kind === 'p' ? '' : 'ONLY '}${table} t ${where}) TO STDOUT`),
  );
  const into = target.query(copyFrom(`COPY ${table} (${written}) FROM STDIN`));
  try {
    await pipeline(out, new MaskRows(plan, { accepts, onRows }), into);
  } catch (error) {
    throw describe(error, plan.table, await isSourceLost(error, target));
  }
}

/** If a session ended, and it was not that of the target, it was that of the source. */
async function isSourceLost(error: unknown, target: Client): Promise<boolean> {
  if (error instanceof DatabaseError && !error.code?.startsWith(SESSION_ENDED)) return false;
  return target.query('SELECT').then(
    () => true,
    () => false,
  );
}

/** A message about a constraint names it; others may quote a value of the row. */
function describe(error: unknown, table: string, isLost: boolean): Error {
  if (error instanceof RefreshFailure) return error;
  if (isLost)
    return new RefreshFailure(
      'SourceWasLost',
      `${table}: the session of the source ended while its rows were read; expected it to last`,
      { cause: error },
    );
  if (!(error instanceof DatabaseError))
    return new RefreshFailure('CopyFailed', `${table}: ${(error as Error).message}`, { cause: error });
  const { code, constraint, column } = error;
  const where = [table, column].filter(Boolean).join('.');
  const why = constraint === undefined ? `PostgreSQL error ${code}` : `constraint ${constraint} refuses a row`;
  return new RefreshFailure('CopyFailed', `${where}: ${why}; expected masks and values that fit every row`);
}
