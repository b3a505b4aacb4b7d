/** What pg's clients have in common; a statement and its rows. */
export interface Queryable {
  query<T extends object>(sql: string, values?: unknown[]): Promise<{ rows: T[] }>;
}
