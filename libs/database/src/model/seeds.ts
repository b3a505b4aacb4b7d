import type { Fake } from '../seed/fake.js';

/** Sample data, for every environment but production. */
export interface Seeds {
  /** Users with data worth looking at: the first has the most rows, each later one fewer. */
  readonly users: readonly string[];
  /** A table comes after those that its foreign keys point at. */
  readonly tables: readonly TableSeeds[];
}

export interface TableSeeds<Row extends object = object> {
  readonly table: string;
  readonly key: readonly string[];
  readonly of: TableSeeds | undefined;
  readonly writer: 'user' | 'system';
  create(context: SeedContext<never>): readonly Partial<Row>[];
}

export interface SeedContext<Parent> {
  /** The owner of the rows. The database rejects rows of another one. */
  readonly userId: string;
  /** From 0. The rows of an index never depend on how many there are, so a larger size only adds rows. */
  readonly index: number;
  /** The row of `of` as the database has it, perhaps changed by its user. */
  readonly parent: Parent;
  /** Makes the same values for the same table and index, on every machine. */
  readonly fake: Fake;
}

export interface SeedsDefinition<Row extends object, Parent extends object | undefined> {
  /** Of schema public. */
  readonly table: string;
  /** The properties by which an existing row is found again: a unique key without values that the database generates. */
  readonly key: readonly Extract<keyof Row, string>[];
  /** The seeds of the table that a foreign key points at: `create` is called for each of their rows. */
  readonly of?: Parent extends object ? TableSeeds<Parent> : never;
  /** `system`: a table that users only read. Default: `user`. */
  readonly writer?: TableSeeds['writer'];
  /** Returns rows that all have the same properties, in camel case; the columns have their names in snake case. */
  create(context: SeedContext<Parent>): readonly Partial<Row>[];
}

/** Declares the sample rows of a table beside its entity. They depend on nothing but the context. */
export function defineSeeds<Row extends object, Parent extends object | undefined = undefined>({
  of,
  writer = 'user',
  ...definition
}: SeedsDefinition<Row, Parent>): TableSeeds<Row> {
  return Object.freeze({ ...definition, of, writer });
}

/** The number of indexes. A table without `of` usually has one row for each. */
export const SEED_SIZES = { small: 300, medium: 10_000, large: 500_000 } as const;

/** Test databases have as many: specs read all rows of a database. */
export const TEST_SEED_SIZE = 20;
