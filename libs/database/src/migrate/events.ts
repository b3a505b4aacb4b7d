import type { Session } from './sessions-in-the-way.js';

/** What a run tells while it works; the report at the end says what became of it. */
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
  | { readonly type: 'applied'; readonly name: string; readonly durationMs: number };

export type OnEvent = (event: MigrationEvent) => void;

/** One line for people and logs. */
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
    case 'applied':
      return `${event.name} applied in ${Math.round(event.durationMs)} ms`;
  }
}

export function describeSession({ pid, application, address, since }: Session): string {
  const from = address === null ? '' : ` from ${address}`;
  return `pid ${pid} (${application}${from}${since === null ? '' : `, since ${since.toISOString()}`})`;
}

export function describeBlockers(blockers: readonly Session[]): string {
  return blockers.length === 0 ? '' : `; in the way: ${blockers.map(describeSession).join(', ')}`;
}
