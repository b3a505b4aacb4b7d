import { type Client, DatabaseError } from 'pg';
import { RefreshFailure } from './refresh-errors.js';

/** SQLSTATE of an operator who ends sessions, or a server that stops. */
const SESSION_ENDED = '57P';

/** @returns the session that ended, if one did: the other one still answers */
export async function findLost(error: unknown, target: Client): Promise<'source' | 'target' | undefined> {
  if (!isLoss(error)) return undefined;
  return target.query('ROLLBACK').then(
    () => 'source',
    () => 'target',
  );
}

/** Outside of a copy, where a failure may have another cause. */
export function isEnded(error: unknown): boolean {
  if (error instanceof DatabaseError) return isLoss(error);
  return error instanceof Error && /^Connection terminated|ECONNRESET|EPIPE/.test(error.message);
}

/** Any other error than an answer of the server. */
function isLoss(error: unknown): boolean {
  return !(error instanceof DatabaseError) || error.code?.startsWith(SESSION_ENDED) === true;
}

export function describeLoss(lost: 'source' | 'target', table: string, cause: unknown): RefreshFailure {
  return new RefreshFailure(
    lost === 'source' ? 'SourceWasLost' : 'CopyFailed',
    `${table}: the session of the ${lost} ended while its rows were copied; expected it to last`,
    { cause },
  );
}

/** SQLSTATE of a server without room on its disk, or in its memory. */
const SHORTAGE = '53';

export const isShortage = ({ code }: DatabaseError) => code?.startsWith(SHORTAGE) === true;

export function describeShortage(table: string, cause: DatabaseError): RefreshFailure {
  return new RefreshFailure(
    'CopyFailed',
    `${table}: a server ran out of room (PostgreSQL error ${cause.code}: ${cause.message}); expected room for a third database beside the target`,
    { cause },
  );
}
