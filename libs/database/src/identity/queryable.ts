/** The query method that all clients of pg share; a statement and its rows. */
export interface Queryable {
  query<T extends object>(sql: string, values?: unknown[]): Promise<{ rows: T[] }>;
}
