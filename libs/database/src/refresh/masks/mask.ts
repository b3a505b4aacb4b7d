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
  /** Part of a unique key, so different values need different results. */
  readonly isUnique: boolean;
  /** Of numeric: whether every value has the same number of decimals. */
  readonly hasScale: boolean;
}

export interface MaskInput {
  /** In the text form of the type. */
  readonly value: string;
  /** The person that the row is about, or an empty text. */
  readonly person: string;
  /** Above 0 where the result of the attempt before was refused. */
  readonly attempt: number;
}

/** @returns a value of the same type, in its text form */
export type ValueMask = (input: MaskInput) => string;

/** No mask fits the column. The message is the rest of a sentence that begins with its name. */
export class UnfitMaskError extends Error {
  override readonly name = 'UnfitMaskError';
}
