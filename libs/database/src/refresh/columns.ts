/** What becomes of a column in a copy that leaves its environment. */
export type ColumnRule =
  | 'keep'
  /** The same value becomes the same stand-in everywhere in the copy, and another one in the next copy. */
  | { readonly pseudonym: string }
  /** An SQL expression; it may name the columns of its row. */
  | { readonly value: string };

/**
 * Every column of every table. One that is not listed stops a refresh: whoever adds a column says here whether it may
 * be seen by those who work with the copy.
 */
export const columns: Readonly<Record<string, Readonly<Record<string, ColumnRule>>>> = {
  entities: {
    id: 'keep',
    owner_id: { pseudonym: 'user_' },
    name: { value: `'Entity ' || pg_catalog.substr(id::text, 25)` },
    attributes: { value: `'{}'` },
    version: 'keep',
    created_at: 'keep',
    updated_at: 'keep',
  },
};
