import { type Client, DatabaseError } from 'pg';
import { RefreshFailure } from './refresh-errors.js';

/** SQLSTATE of an operator who ends sessions, or a server that stops. */
const SESSION_ENDED = '57P';

/** If a session ended, and it was not that of the target, it was that of the source. */
export async function isSourceLost(error: unknown, target: Client): Promise<boolean> {
  if (error instanceof DatabaseError && !error.code?.startsWith(SESSION_ENDED)) return false;
  return target.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}

export function describeLoss(table: string, cause: unknown): RefreshFailure {
  return new RefreshFailure(
    'SourceWasLost',
    `${table}: the session of the source ended while its rows were read; expected it to last`,
    { cause },
  );
}
