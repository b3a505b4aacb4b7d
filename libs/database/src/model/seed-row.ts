/** Sample data, for every environment but production. */
export interface SeedRows {
  /** Inserts the rows of `$1`, a JSON array of their values; leaves rows that are there as they are. */
  readonly sql: string;
  /** The same row for the same number, every time. */
  createRow(index: number): SeedRow;
}

export interface SeedRow {
  /** The user as whom the row is written: row-level security binds the owner of the table too. */
  readonly userId: string;
  /** By the names of the columns. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** How many rows a seed has, unless its caller asks for more. */
export const DEFAULT_SEED_ROWS = 20;
