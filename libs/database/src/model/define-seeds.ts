/** Sample data, for every environment but production. */
export interface Seeds {
  /** Users with data worth looking at: the first has the most rows, each later one fewer. */
  readonly users: readonly [string, ...string[]];
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
  readonly sample: SampleValues;
}

/** Values that look real and are about no person. Limits are included. */
export interface SampleValues {
  integer(least: number, most: number): number;
  chance(percent: number): boolean;
  pick<T>(choices: readonly T[]): T;
  person(): SamplePerson;
  /** Words without a meaning. */
  words(least: number, most: number): string;
  /** Of the two years before 2026, or of the `days` that follow `after`. */
  date(span?: { readonly after: Date; readonly days: number }): Date;
  /** A UUID of version 7 with this time. */
  id(at: Date): string;
}

export interface SamplePerson {
  readonly givenName: string;
  readonly familyName: string;
  /** Under example.org, which no person can have. */
  readonly email: string;
  /** From the numbers that Ofcom reserves for drama: +44 1632 960000 to 960999. */
  readonly phone: string;
}

export interface SeedsDefinition<Row extends object, Parent extends object | undefined> {
  /** Of schema public. */
  readonly table: string;
  /** The properties by which an existing row is found again: a unique key, whose values every row states. */
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
