/**
 * Connection lost, read only since a failover, transaction timed out or aborted in favour of another, out of
 * connections, memory or disk, locked, shutting down or starting, or with corrupt files.
 */
const UNAVAILABLE = /^(08|25006|25P0[34]|40|53|55P03|57P|58|XX00[12])/;
const NETWORK = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** Messages of pg and its pool that have no code. */
const CONNECTION_MESSAGE =
  /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error|Query read timeout|The server does not support SSL)/;

/** Whether the database was unavailable, as opposed to having rejected the statement. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const code = readCode(error);
  if (code !== undefined && (UNAVAILABLE.test(code) || NETWORK.test(code))) return true;
  return error instanceof Error && CONNECTION_MESSAGE.test(error.message);
}

export function readCode(error: unknown): string | undefined {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
  return isCoded ? (error.code as string) : undefined;
}

/** A prepared statement no longer fits the tables, or is gone. It did not run; a new session parses it again. */
export function isStalePlan(error: Error): boolean {
  const code = readCode(error);
  return code === '26000' || (code === '0A000' && 'routine' in error && error.routine === 'RevalidateCachedQuery');
}
