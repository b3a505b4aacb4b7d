/** How a refresh treats a column in a copy that leaves its environment. */
export type ColumnRule =
  | 'keep'
  /** Text only. Equal values get the same pseudonym within a copy, and a different one in the next copy. */
  | { readonly pseudonym: string }
  /** An SQL expression; it may use the columns of its row. */
  | { readonly value: string };

/** Table → column → rule. */
export type Columns = Readonly<Record<string, Readonly<Record<string, ColumnRule>>>>;
