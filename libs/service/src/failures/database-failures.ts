/**
 * Connection lost, read only since a failover, transaction timed out or lost to another one, out of connections, memory or
 * disk, locked, shutting down or starting, or at odds with its own files.
 */
const UNAVAILABLE = /^(08|25006|25P0[34]|40|53|55P03|57P|58|XX00[12])/;
const NETWORK = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** What pg and its pool say without a code. */
const CONNECTION_MESSAGE =
  /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error|Query read timeout|The server does not support SSL)/;

/** Whether the database could not be asked, as opposed to having refused what it was asked. */
export function isDatabaseAway(error: unknown): boolean {
  const code = readCode(error);
  if (code !== undefined && (UNAVAILABLE.test(code) || NETWORK.test(code))) return true;
  return error instanceof Error && CONNECTION_MESSAGE.test(error.message);
}

export function readCode(error: unknown): string | undefined {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
  return isCoded ? (error.code as string) : undefined;
}

/** A statement that this session knows no longer fits the tables, or is gone: nothing was run, and a new session parses it anew. */
export function isStalePlan(error: Error): boolean {
  const code = readCode(error);
  return code === '26000' || (code === '0A000' && 'routine' in error && error.routine === 'RevalidateCachedQuery');
}
