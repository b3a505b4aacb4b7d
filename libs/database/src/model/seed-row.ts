/** Sample data, for every environment but production. */
export interface SeedRows {
  /** Inserts the rows of `$1`, a JSON array of their values; existing rows stay unchanged. */
  readonly sql: string;
  /** Returns the same row for the same number, every time. */
  createRow(index: number): SeedRow;
}

export interface SeedRow {
  /** The user that the row is written as: row-level security also applies to the owner of the table. */
  readonly userId: string;
  /** By column name. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Default number of rows in a seed. */
export const DEFAULT_SEED_ROWS = 20;
