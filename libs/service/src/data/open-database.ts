import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import { openDataSource } from '@airlock/database';
import type { Lifecycle } from '@airlock/health';
import type { DataSource } from 'typeorm';
import { isDatabaseUnavailable, readCode } from '../failures/database-failures.js';
import { findRefusal } from '../failures/find-refusal.js';

const RETRY_MS = 500;

export interface OpenOptions {
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  /** Called once, with the reason why the database is unavailable. */
  readonly onUnavailable: (reason: string) => void;
}

/**
 * Waits for the database, then checks its environment stamp. The process serves nothing until both succeed.
 *
 * @returns false if the process is told to stop meanwhile
 * @throws StartRefusal or IdentityError if the database responds with an error that waiting cannot fix
 */
export async function openDatabase(dataSource: DataSource, options: OpenOptions): Promise<boolean> {
  const { config, lifecycle, onUnavailable } = options;
  for (let attempt = 1; lifecycle.phase === 'starting'; attempt += 1) {
    try {
      await openDataSource(dataSource, config);
      return !lifecycle.isDraining;
    } catch (error) {
      const refusal = findRefusal(error, config);
      if (refusal) throw refusal;
      if (!isDatabaseUnavailable(error)) throw error;
      if (attempt === 1) onUnavailable(readCode(error) ?? (error as Error).message);
    }
    await sleep(RETRY_MS);
  }
  return false;
}
