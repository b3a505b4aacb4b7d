import type { RequestContext } from '../context/request-context.js';
import type { Statement } from './owner-query.js';

/** The application may add to this table, and not read or change it. */
export const JOURNAL: Statement = {
  name: 'journal_system_use',
  text: 'INSERT INTO ops.system_uses (service, reason, user_id, request_id) VALUES ($1, $2, $3, $4)',
};

const LONGEST_REASON = 200;

/**
 * A job may always. A request may act as the system only if its route states which callers may make it do so.
 *
 * @throws Error
 */
export function assertMayActAsSystem(context: RequestContext | undefined): void {
  if (!context || context.job || context.role !== undefined || context.signature !== undefined) return;
  throw new Error(
    'database: asSystem was called in a request whose route requires no role and no signature; ' +
      "expected @Operation({ …, access: { role: 'support' } }) on the route",
  );
}

/** @throws Error */
export function assertReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= LONGEST_REASON) return;
  throw new Error(`database: the reason of asSystem has ${reason.length} characters; expected 1 to ${LONGEST_REASON}`);
}
