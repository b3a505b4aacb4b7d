/** Connection lost, out of connections or memory, shutting down or starting, locked, or lost to another transaction. */
const UNAVAILABLE = /^(08|40|53|55P03|57P)/;
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
