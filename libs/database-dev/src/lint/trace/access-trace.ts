import type { ColumnState, Snapshot } from './snapshot.js';

/** Access that a statement removes from the running code, unless a later statement of its migration restores it. */
export interface AccessTrace {
  /** NOT NULL columns that lost their default, identity or expression. */
  readonly unfilled: readonly string[];
  /** Columns that became GENERATED ALWAYS AS IDENTITY. */
  readonly always: readonly string[];
  /** Tables whose rows row-level security hides, because no policy permits one. */
  readonly closed: readonly string[];
}

type Stage = 'known' | 'before' | 'after' | 'last';

/** Only on tables that existed before the migration. */
export function traceAccess({ known, before, after, last }: Readonly<Record<Stage, Snapshot>>): AccessTrace {
  const tables = new Set([...known.relations.values()].map(({ oid }) => oid));
  const lasting = (test: (column: ColumnState) => boolean) =>
    after.columns
      .filter((column) => tables.has(column.oid) && test(column) && !test(find(before, column) ?? column))
      .filter((column) => test(find(last, column) ?? { ...column, isRequired: false, isAlways: false }));
  const isClosed = ({ closed }: Snapshot, { oid, isForced }: Snapshot['closed'][number]) =>
    closed.some((table) => table.oid === oid && (table.isForced || !isForced));
  return {
    unfilled: lasting(({ isRequired, isFilled }) => isRequired && !isFilled)
      .filter((column) => find(before, column)?.isFilled)
      .map(({ name }) => name),
    always: lasting(({ isAlways }) => isAlways).map(({ name }) => name),
    closed: after.closed
      .filter((table) => tables.has(table.oid) && !isClosed(before, table) && isClosed(last, table))
      .map(({ table }) => table),
  };
}

function find({ columns }: Snapshot, { oid, name }: ColumnState): ColumnState | undefined {
  return columns.find((column) => column.oid === oid && column.name === name);
}
