/** A timestamp as RFC 3339 text. A Date would drop the microseconds that distinguish rows. */
export function isoTimestamp(column: string, as: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "${as}"`;
}
