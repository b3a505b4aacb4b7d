/** The facts about a column that its mask depends on. */
export interface MaskedType {
  /** The name of the type below arrays and domains, such as `varchar`. */
  readonly base: string;
  /** Of the elements, if it is an array. */
  readonly isArray: boolean;
  /** The longest text in characters. */
  readonly maxLength: number | undefined;
  /** Of an enum. */
  readonly labels: readonly string[];
  /** Of a range or a multirange. */
  readonly subtype?: string | undefined;
  /** Part of a unique key, so different values need different results. */
  readonly isUnique: boolean;
  /** Of numeric: whether every value has the same number of decimals. */
  readonly hasScale: boolean;
}

/**
 * Parameters instead of an object, because a refresh calls it for millions of values.
 *
 * @param value in the text form of the type
 * @param person that the row is about, or an empty text; only dates and times depend on it
 * @param attempt above 0 where the result of the attempt before was refused
 * @returns a value of the same type, in its text form
 */
export type ValueMask = (value: string, person: string, attempt: number) => string;

/** No mask fits the column. The message is the rest of a sentence that begins with its name. */
export class UnfitMaskError extends Error {
  override readonly name = 'UnfitMaskError';
}
