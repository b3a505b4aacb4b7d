import { describeMode } from '@airlock/database/model';
import type { AccessTrace } from './access-trace.js';
import type { DomainState } from '../syntax/domain-state.js';
import type { KeyTrace } from './key-state.js';
import type { ColumnState, RowCounts } from './snapshot.js';

/** Actual effects of a statement on tables that existed before its migration. */
export interface StatementTrace extends AccessTrace, KeyTrace {
  /** Names of objects that the migration created before this statement: no other session uses them yet. */
  readonly created: readonly string[];
  /** Locks that this statement added; the migration holds them until it ends. */
  readonly locks: readonly { readonly table: string; readonly mode: string }[];
  /** Tables and indexes whose files were replaced. */
  readonly rewritten: readonly string[];
  /** Tables that were read completely to check a constraint. */
  readonly scanned: readonly string[];
  readonly written: readonly WrittenTable[];
  /** Settings of the runner that have another value afterwards. */
  readonly settings: readonly string[];
  /** Domains that exist before this statement. */
  readonly domains: readonly DomainState[];
  /** Columns that it gave their type, in any table. */
  readonly typed: readonly ColumnState[];
  /** Foreign keys that it created, by table and name. */
  readonly foreignKeys: readonly { readonly table: string; readonly name: string }[];
  /** Table → every table that it is a partition or a child of. */
  readonly ancestors: Readonly<Record<string, readonly string[]>>;
  readonly error: string | undefined;
}

export interface WrittenTable extends RowCounts {
  readonly table: string;
}

/** The effects of one statement, with the context that its judges need. */
export interface Traced {
  readonly trace: StatementTrace;
  /** Rules that the syntax of the statement breaks. */
  readonly said: readonly string[];
  /** Locks of this statement and of those before it. */
  readonly heldTables: StatementTrace['locks'];
}

/** One line for each statement that locked or rewrote an existing object. */
export function describeTraces(name: string, traces: readonly StatementTrace[]): string[] {
  return traces.flatMap(({ locks, rewritten, scanned, written }, index) => {
    const parts = [
      ...locks.map(({ table, mode }) => `${describeMode(mode)} on ${table}`),
      ...rewritten.map((relation) => `${relation} rewritten`),
      ...scanned.map((table) => `${table} scanned`),
      ...written.map(describeRows),
    ];
    return parts.length === 0 ? [] : [`${name}, statement ${index + 1}: ${parts.join('; ')}`];
  });
}

/** `1 row inserted, 500 rows updated in public.orders` */
export function describeRows({ table, ...counts }: WrittenTable): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return `${parts.map(([word, count]) => `${count} ${count === 1 ? 'row' : 'rows'} ${word}`).join(', ')} in ${table}`;
}
