/** A timestamp as RFC 3339 text: a Date would drop the microseconds, by which rows are told apart. */
export function isoTimestamp(column: string, as: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "${as}"`;
}
