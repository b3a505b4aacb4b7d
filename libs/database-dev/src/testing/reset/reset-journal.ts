import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseAddress } from '@airlock/config';
import { isMintedFrom } from './minted-names.js';

type Where = Pick<DatabaseAddress, 'host' | 'port' | 'database'>;
export type JournalStep = 'minted' | 'cloned' | 'prepared' | 'swapped';
const STEPS: readonly JournalStep[] = ['minted', 'cloned', 'prepared', 'swapped'];

/**
 * Written before each step that would leave something behind, so that the next run knows which databases it may drop.
 */
export interface Journal {
  readonly step: JournalStep;
  readonly systemIdentifier: string;
  readonly database: string;
  /** The name of the clone until the swap. */
  readonly fresh: string;
  readonly freshOid: number | null;
  /** The name of the old database after the swap. */
  readonly retired: string;
  readonly retiredOid: number;
}

/** Written to the disk before it returns. */
export function saveJournal(workspace: string, where: Where, journal: Journal): void {
  const path = getJournalPath(workspace, where);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, `${JSON.stringify(journal)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

export function loadJournal(workspace: string, where: Where): Journal | 'unreadable' | undefined {
  const path = getJournalPath(workspace, where);
  if (!existsSync(path)) return undefined;
  try {
    const journal = JSON.parse(readFileSync(path, 'utf8')) as Journal;
    return isSound(journal, where.database) ? journal : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

export function removeJournal(workspace: string, where: Where): void {
  rmSync(getJournalPath(workspace, where), { force: true });
}

export function getJournalPath(workspace: string, { host, port, database }: Where): string {
  return join(workspace, '.airlock', 'reset', `${database}@${host.replaceAll(':', '_')}_${port}.json`);
}

/** Anyone could have written the journal file, so it may only contain names that this tool generates. */
function isSound({ step, database, fresh, retired, retiredOid, freshOid }: Journal, expected: string): boolean {
  return (
    STEPS.includes(step) &&
    database === expected &&
    isMintedFrom(fresh, expected) &&
    isMintedFrom(retired, expected) &&
    fresh !== retired &&
    Number.isInteger(retiredOid) &&
    (freshOid === null || Number.isInteger(freshOid))
  );
}
