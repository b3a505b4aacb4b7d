import { z } from 'zod';

/** The facts by which a restored database is compared with the one that was backed up. */
export const contentsSchema = z.strictObject({
  /** Rows by table, such as `public.parcels`. */
  rows: z.record(z.string(), z.int().nonnegative()),
  /** The number of constraints, and the names of those that are not validated, as during an expand. */
  constraints: z.int().nonnegative(),
  unvalidated: z.array(z.string()),
  /** Indexes that an interrupted CREATE INDEX CONCURRENTLY left. */
  invalidIndexes: z.array(z.string()),
  migrations: z.array(z.strictObject({ name: z.string(), sha256: z.string() })),
});

export type Contents = z.infer<typeof contentsSchema>;

/** Every difference, one line each, without a value of a row. */
export function findDifferences(expected: Contents, found: Contents): string[] {
  const tables = [...new Set([...Object.keys(expected.rows), ...Object.keys(found.rows)])].sort();
  const head = ({ migrations }: Contents) => migrations.at(-1)?.name ?? 'none';
  return [
    ...tables.flatMap((table) => {
      const [before, after] = [expected.rows[table], found.rows[table]];
      if (before === after) return [];
      return [
        `${table}: ${after ?? 'no table'}${after === undefined ? '' : ' rows'}, and the backup has ${before ?? 'no such table'}`,
      ];
    }),
    expected.constraints !== found.constraints &&
      `${found.constraints} constraints, and the backup has ${expected.constraints}`,
    ...listMissing(found.unvalidated, expected.unvalidated).map((name) => `the constraint ${name} is not validated`),
    ...listMissing(found.invalidIndexes, expected.invalidIndexes).map((name) => `the index ${name} is not valid`),
    JSON.stringify(expected.migrations) !== JSON.stringify(found.migrations) &&
      `the last migration is ${head(found)}, and in the backup ${head(expected)}; or one of them was edited`,
  ].filter((line) => line !== false);
}

const NOTABLE_ROWS = 100;
/** Queues and records of the platform: their rows come and go. */
const PASSING = /^(ops|jobs)\./;

/** Signs that rows were lost before the backup, compared with the backup before it. */
export function findShrinkage(before: Contents, now: Contents): string[] {
  const isMigrated = JSON.stringify(before.migrations) !== JSON.stringify(now.migrations);
  return Object.entries(before.rows).flatMap(([table, rows]) => {
    const left = now.rows[table];
    if (PASSING.test(table) || rows < NOTABLE_ROWS) return [];
    // A migration may drop a table.
    if (left === undefined) return isMigrated ? [] : [`${table}: is missing, and had ${rows} rows`];
    return left < rows / 2 ? [`${table}: has ${left} rows, and had ${rows}`] : [];
  });
}

function listMissing(found: readonly string[], expected: readonly string[]): string[] {
  return found.filter((name) => !expected.includes(name));
}
