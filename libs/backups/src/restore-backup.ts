import { withClient } from '@airlock/database/sessions';
import { createContext, type RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import type { BackupManifest } from './manifest.js';
import { restoreInto } from './restore-into.js';

export interface RestoreReport {
  readonly backup: BackupManifest;
  readonly database: string;
  readonly durationMs: number;
}

/**
 * Restores a backup into a new database beside the others, which keeps the stamp of the original: only
 * `airlock db provision --adopt` makes it a database of the environment.
 *
 * @param name of a backup, or `latest`
 * @throws BackupError
 */
export async function restoreBackup(
  options: RestoreOptions,
  { name, as: database }: { name: string; as: string },
): Promise<RestoreReport> {
  const store = new BackupStore(options.storage, options.environment);
  const backup = name === 'latest' ? await store.loadNewest() : await store.load(name);
  const started = Date.now();
  await withClient(options.admin, createContext(options, 'restore'), (admin) =>
    restoreInto({ admin, backup, database, options }),
  );
  return { backup, database, durationMs: Date.now() - started };
}
