import { withClient } from '@airlock/database/sessions';
import { type BackupOptions, createContext } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { readTime } from './manifest.js';
import { findLastProof } from './proofs.js';
import type { Past } from './backup-schedule.js';

/** From the storage and the database, so that it is the same for every process. */
export async function loadPast(options: BackupOptions): Promise<Past> {
  const [newest] = await new BackupStore(options.storage, options.environment).list();
  const database = { ...options.admin, database: options.app.database };
  const provedAt = await withClient(database, createContext(options, 'backup'), findLastProof);
  return { takenAt: newest === undefined ? undefined : readTime(newest), provedAt };
}
