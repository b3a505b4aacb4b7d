/**
 * The class of a column decides what of it a sanitised copy may hold, and what the data inventory says.
 *
 * - `public`: anyone may know it. Copied.
 * - `internal`: about no person, such as states, versions and generated keys. Copied.
 * - `personal(…)`: about a person. Every value is masked.
 * - `secret`: never leaves the database. A copy has the default of the column, or NULL.
 * - `key`: has the class and the mask of the column that its foreign key points at, so that joins hold.
 */
export type ColumnClass = 'public' | 'internal' | 'secret' | 'key' | Replaced | Personal;

/** Copied as one fixed value, in the text form of its type. */
export interface Replaced {
  readonly class: 'public' | 'internal' | 'secret';
  readonly value: string;
}

export interface Personal {
  readonly class: 'personal';
  readonly mask: Mask;
  /** `masked`: NULL itself would say something about the person, so it becomes a value too. */
  readonly nulls: 'kept' | 'masked';
}

/** Each result is longer or stranger than a real value, so that none equals a value of a real person by chance. */
export type TextMask = 'name' | 'given-name' | 'family-name' | 'email' | 'phone' | 'address' | 'text';

/** The same identifier has the same pseudonym in every column, document and run. */
export interface IdentifierMask {
  readonly kind: 'identifier';
  readonly prefix: string;
  /** The column names the person that its row is about: it decides the shift of dates and the choice of rows. */
  readonly isPerson: boolean;
}

export interface JsonMask {
  readonly kind: 'json';
  /** Path → rule. `address.city` is a property, and elements of an array have the path of the array. */
  readonly paths: Readonly<Record<string, 'keep' | TextMask | IdentifierMask>>;
}

export interface ConstantMask {
  readonly kind: 'constant';
  readonly value: string;
}

/** `type`: the type of the column decides. Types of text and documents have no such mask. */
export type Mask = 'type' | TextMask | IdentifierMask | JsonMask | ConstantMask;

/** Table of schema public → column → class. */
export type Classes = Readonly<Record<string, Readonly<Record<string, ColumnClass>>>>;

/** The columns of an entity whose properties have their names in camel case. */
type ColumnsOf<Entity> = SnakeCase<Extract<keyof Entity, string>>;

type SnakeCase<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? `${First extends Uppercase<First> ? (First extends Lowercase<First> ? First : `_${Lowercase<First>}`) : First}${SnakeCase<Rest>}`
  : '';

/** Declares the classes of a table beside its entity. The compiler finds a column of the entity that has none. */
export function classify<Entity>(
  table: string,
  columns: Readonly<Record<ColumnsOf<Entity>, ColumnClass>>,
): readonly [table: string, columns: Classes[string]] {
  return [table, columns];
}

export function personal(mask: Mask = 'type', { nulls = 'kept' }: { nulls?: Personal['nulls'] } = {}): Personal {
  return { class: 'personal', mask, nulls };
}

/** The identifier of the person that a row is about. */
export function person(prefix = ''): IdentifierMask {
  return { kind: 'identifier', prefix, isPerson: true };
}

/** Another identifier, such as that of an account. */
export function identifier(prefix = ''): IdentifierMask {
  return { kind: 'identifier', prefix, isPerson: false };
}

/** A document. Properties without a path here are removed. */
export function json(paths: JsonMask['paths'] = {}): JsonMask {
  return { kind: 'json', paths };
}

/** For a column whose few values would show through any mask, such as a diagnosis. */
export function constant(value: string): ConstantMask {
  return { kind: 'constant', value };
}

/** For a state that must fit what a copy has, such as that of a connection without its token. */
export function inCopy(of: Replaced['class'], value: string): Replaced {
  return { class: of, value };
}
