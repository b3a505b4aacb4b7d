import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import { openDataSource } from '@airlock/database';
import type { Lifecycle } from '@airlock/health';
import type { DataSource } from 'typeorm';
import { isDatabaseAway, readCode } from '../failures/database-failures.js';
import { findRefusal } from '../failures/start-refusal.js';

const RETRY_MS = 500;

export interface OpenOptions {
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  /** Called once, with a word for what keeps the database from answering. */
  readonly onAway: (reason: string) => void;
}

/**
 * Waits for the database as long as nobody answers, and asks it whose it is as soon as it does: nothing is served before.
 *
 * @returns false where the process is told to leave meanwhile
 * @throws StartRefusal or IdentityError where the database answers, and waiting would change nothing
 */
export async function openDatabase(dataSource: DataSource, options: OpenOptions): Promise<boolean> {
  const { config, lifecycle, onAway } = options;
  for (let attempt = 1; lifecycle.phase === 'starting'; attempt += 1) {
    try {
      await openDataSource(dataSource, config);
      return !lifecycle.isDraining;
    } catch (error) {
      const refusal = findRefusal(error, config);
      if (refusal) throw refusal;
      if (!isDatabaseAway(error)) throw error;
      if (attempt === 1) onAway(readCode(error) ?? (error as Error).message);
    }
    await sleep(RETRY_MS);
  }
  return false;
}
