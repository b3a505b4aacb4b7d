import type { BackfillStatus } from '@airlock/database/operations';

/** One line, in the columns of `airlock db status`. */
export function describeBackfill(backfill: BackfillStatus): string {
  const { name, table, state, isRequired, pass, passRows, changed, updatedAt, completedAt } = backfill;
  const rows = changed === undefined ? '' : `${changed} rows of ${table} changed`;
  const where = state === 'running' ? `, ${passRows} rows into pass ${pass}` : '';
  const when = (completedAt ?? updatedAt)?.toISOString();
  const what = rows && `${rows}${where}, ${completedAt ? '' : 'last batch '}${when}`;
  return [state.padEnd(8), 'backfill', name, what, isRequired && state !== 'complete' && 'required by this code']
    .filter(Boolean)
    .join('  ');
}
