import { describeMode } from '../model/lock-modes.js';
import { judgeRehearsal, NOTICEABLE_MS, type Rehearsal, type RehearsedStatement } from '../migrate/rehearsal-record.js';

/** A line for each statement that affects what was there before, and one for each budget that is exceeded. */
export function describeRehearsal(rehearsal: Rehearsal): string[] {
  const { name, usualP99Ms, statements } = rehearsal;
  return [
    `${name}: rehearsed${usualP99Ms === null ? '' : `; without it, 99 of 100 operations of the load take at most ${inMs(usualP99Ms)}`}`,
    ...statements.filter(hasEffect).map((statement) => `  ${describeStatement(statement)}`),
    ...judgeRehearsal(rehearsal).map((problem) => `  over budget: ${problem}`),
  ];
}

/** A statement without an effect may be the one during which the load waits for an earlier lock. */
function hasEffect({ locks, rewritten, scanned, load }: RehearsedStatement): boolean {
  const isNoticed = load.longestMs > NOTICEABLE_MS || load.failures.length > 0;
  return isNoticed || [locks, rewritten, scanned].some((found) => found.length > 0);
}

function describeStatement({ statement, durationMs, locks, rewritten, scanned, load }: RehearsedStatement): string {
  const parts = [
    ...locks.map(
      ({ table, mode, heldMs, rows, isLoaded }) =>
        `${describeMode(mode)} on ${table}${rows === null ? '' : ` of about ${Math.round(rows)} rows`} for ${inMs(heldMs)}${isLoaded ? '' : ', without load'}`,
    ),
    ...rewritten.map((table) => `${table} rewritten`),
    ...scanned.map((table) => `${table} scanned`),
    load.operations === 0
      ? 'no load'
      : `the load waited at most ${inMs(load.longestMs)}${load.p99Ms === null ? '' : `, p99 ${inMs(load.p99Ms)}`}`,
    ...load.failures.map((failure) => `the load failed on ${failure}`),
  ];
  return `statement ${statement}: ${inMs(durationMs)}; ${parts.join('; ')}`;
}

function inMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
