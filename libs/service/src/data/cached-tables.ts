/** The cache of some tables, as a transaction sees it. A row that was added is in no cache. */
export interface CachedTables {
  readonly tables: readonly string[];
  /** Whether the code around the transaction has announced so many changes. */
  expects(table: string, rows: number): boolean;
  /** Runs work that may change any row of the tables. No row is cached from before its begin until after its end. */
  changeAll<T>(work: () => Promise<T>, reason: string): Promise<T>;
}

/** A transaction has changed rows that its caller has not told the cache of, and was rolled back. */
export class UnexpectedChange extends Error {}

/** One for each table: of the transaction and of earlier ones of its session. NULL if the server counts nothing. */
export type ChangeCounts = readonly (number | null)[];

/**
 * SQL for the rows that the server has counted as changed, whether by a query, a cascade, a trigger or a function.
 *
 * @param tables SQL for their names, `text[]`
 */
export function countChanges(tables: string): string {
  return `ARRAY(
    SELECT CASE WHEN current_setting('track_counts')::boolean THEN
             coalesce(sum(pg_stat_get_xact_tuples_updated(part) + pg_stat_get_xact_tuples_deleted(part)), 0)::int END
      FROM unnest(${tables}) WITH ORDINALITY AS tables (name, position)
      LEFT JOIN LATERAL (SELECT to_regclass(name)::oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass(name)))
        AS parts (part) ON true
     GROUP BY position ORDER BY position)`;
}

/** @throws UnexpectedChange */
export function assertExpected(cached: CachedTables, before: ChangeCounts, after: ChangeCounts): void {
  for (const [at, table] of cached.tables.entries()) {
    const rows = (after[at] ?? NaN) - (before[at] ?? NaN);
    if (rows === 0 || cached.expects(table, rows)) continue;
    throw new UnexpectedChange(
      `${table}: a transaction changed ${Number.isNaN(rows) ? 'an unknown number of' : rows} cached rows and ran twice; ` +
        'expected cache.change(key, …) around it for each row, or cache.changeAll(…)',
    );
  }
}
