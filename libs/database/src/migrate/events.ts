import { type BackfillEvent, describeBackfillEvent } from '../backfill/backfill-events.js';
import { describeBlockers, describeSession, type Session } from '../runner/blocking-sessions.js';

/** Progress of a run; the report at the end states its result. */
export type MigrationEvent =
  | { readonly type: 'waiting'; readonly holder: Session }
  | { readonly type: 'planned'; readonly names: readonly string[] }
  | { readonly type: 'started'; readonly name: string }
  | { readonly type: 'dropped-invalid-index'; readonly name: string; readonly index: string }
  | {
      readonly type: 'retrying';
      readonly name: string;
      readonly attempt: number;
      readonly pauseMs: number;
      readonly reason: string;
      readonly blockers: readonly Session[];
    }
  | { readonly type: 'backfill'; readonly name: string; readonly event: BackfillEvent }
  | { readonly type: 'applied'; readonly name: string; readonly durationMs: number };

export type OnEvent = (event: MigrationEvent) => void;

/** One line for users and logs. */
export function describeEvent(event: MigrationEvent): string {
  switch (event.type) {
    case 'waiting':
      return `waiting for the migration lock, held by ${describeSession(event.holder)}`;
    case 'planned':
      return event.names.length === 0 ? 'nothing to apply' : `to apply: ${event.names.join(', ')}`;
    case 'started':
      return `${event.name} …`;
    case 'dropped-invalid-index':
      return `${event.name}: dropped ${event.index}, which an earlier attempt left invalid`;
    case 'retrying':
      return `${event.name}: ${event.reason}; try ${event.attempt + 1} in ${event.pauseMs} ms${describeBlockers(event.blockers)}`;
    case 'backfill':
      return describeBackfillEvent(event.event);
    case 'applied':
      return `${event.name} applied in ${Math.round(event.durationMs)} ms`;
  }
}
