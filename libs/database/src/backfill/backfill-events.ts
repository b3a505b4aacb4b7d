import { describeBlockers, type Session } from '../runner/blocking-sessions.js';

/** Progress of a run; the report at the end states its result. */
export type BackfillEvent =
  | { readonly type: 'started'; readonly name: string; readonly table: string; readonly role: string | undefined }
  | ({ readonly type: 'progress'; readonly name: string } & BackfillProgress)
  | { readonly type: 'paused'; readonly name: string; readonly reason: string }
  | {
      readonly type: 'retrying';
      readonly name: string;
      readonly reason: string;
      readonly pauseMs: number;
      readonly batchRows: number;
      readonly blockers: readonly Session[];
    }
  | { readonly type: 'complete'; readonly name: string; readonly changed: number };

export interface BackfillProgress {
  readonly pass: number;
  /** Walked in this pass. */
  readonly rows: number;
  readonly changed: number;
  readonly expectedRows: number | undefined;
  readonly rowsPerSecond: number;
  readonly secondsLeft: number | undefined;
  readonly batchRows: number;
}

export type OnBackfillEvent = (event: BackfillEvent) => void;

/** One line for users and logs. */
export function describeBackfillEvent(event: BackfillEvent): string {
  const { name } = event;
  switch (event.type) {
    case 'started':
      return `${name}: walks ${event.table}${event.role === undefined ? '' : ` as ${event.role}`}`;
    case 'progress': {
      const { pass, rows, changed, expectedRows, rowsPerSecond, secondsLeft, batchRows } = event;
      const total = expectedRows === undefined ? '' : ` of about ${expectedRows}`;
      const left = secondsLeft === undefined ? '' : `, ${secondsLeft} s left`;
      const what = pass === 1 ? '' : `pass ${pass}, `;
      return `${name}: ${what}${rows}${total} rows, ${changed} changed, ${rowsPerSecond} per second${left}, batch of ${batchRows}`;
    }
    case 'paused':
      return `${name}: pauses: ${event.reason}`;
    case 'retrying':
      return `${name}: ${event.reason}; next batch of ${event.batchRows} rows in ${event.pauseMs} ms${describeBlockers(event.blockers)}`;
    case 'complete':
      return `${name}: complete, ${event.changed} rows changed`;
  }
}
