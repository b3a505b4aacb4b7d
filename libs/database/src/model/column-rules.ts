/** What becomes of a column in a copy that leaves its environment. */
export type ColumnRule =
  | 'keep'
  /** Text only. The same value becomes the same stand-in everywhere in the copy, and another one in the next copy. */
  | { readonly pseudonym: string }
  /** An SQL expression; it may name the columns of its row. */
  | { readonly value: string };

/** Table → column → rule. */
export type Columns = Readonly<Record<string, Readonly<Record<string, ColumnRule>>>>;
