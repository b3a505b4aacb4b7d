import type { Columns } from './column-rules.js';
import type { Migration } from './migration.js';
import type { SeedRows } from './seed-row.js';

/** The product's part of its database. Every function takes what it needs of it; none knows a table of it otherwise. */
export interface Model {
  /** In the order of their names. */
  readonly migrations: readonly Migration[];
  /** A rule for each column of each table in schema public. */
  readonly columns: Columns;
  readonly seedRows: SeedRows;
  /**
   * Holds `schema.sql`, `migrations/`, and in `records/` what is recorded of them: `released.json` and `known-objects.json`.
   * Commands of a checkout write there; an image reads `schema.sql` alone.
   */
  readonly folder: URL;
  /** What TypeORM maps. Loaded on demand: TypeORM takes longer to load than most commands run. */
  loadEntities(): Promise<readonly (abstract new () => object)[]>;
}
