import { type Client, DatabaseError } from 'pg';
import { RefreshFailure } from './refresh-errors.js';

/** SQLSTATE of an operator who ends sessions, or a server that stops. */
const SESSION_ENDED = '57P';

/** If a session ended, and it was not that of the target, it was that of the source. */
export async function isSourceLost(error: unknown, target: Client): Promise<boolean> {
  if (!isLoss(error)) return false;
  return target.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}

/** Any other error than an answer of the server. */
export function isLoss(error: unknown): boolean {
  return !(error instanceof DatabaseError) || error.code?.startsWith(SESSION_ENDED) === true;
}

export function describeLoss(table: string, cause: unknown): RefreshFailure {
  return new RefreshFailure(
    'SourceWasLost',
    `${table}: the session of the source ended while its rows were read; expected it to last`,
    { cause },
  );
}
