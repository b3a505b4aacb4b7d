import type { Backfill } from './backfill.js';
import type { Classes } from './column-classes.js';
import type { Migration } from './migration.js';
import type { Seeds } from './define-seeds.js';

/**
 * The product's part of its database. Functions take the parts that they need; none names a table of the product
 * itself.
 */
export interface Model {
  /** In the order of their names. */
  readonly migrations: readonly Migration[];
  /** Changes of many rows that run after a migration. One stays in the list as long as a migration names it. */
  readonly backfills: readonly Backfill[];
  readonly seeds: Seeds;
  /** The tables whose rows may be in a cache, as `schema.name` or `name`. Each process guards its changes of them. */
  readonly cachedTables: readonly string[];
  /**
   * Contains `schema.sql`, `migrations/`, `backfills/`, and in `records/` the files `released.json` and `known-objects.json`.
   * Commands of a checkout write there; an image only reads `schema.sql`.
   */
  readonly folder: URL;
  /** The entities of TypeORM. Loaded on demand: loading TypeORM takes longer than most commands run. */
  loadEntities(): Promise<readonly (abstract new () => object)[]>;
  /** The class of each column of each table in schema public, declared beside its entity. */
  loadClasses(): Promise<Classes>;
}
