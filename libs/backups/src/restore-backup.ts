import { maxDatabaseNameBytes } from '@airlock/config';
import { withClient } from '@airlock/database/sessions';
import { refuse } from './problems/backup-error.js';
import { createContext, type RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import type { BackupManifest } from './manifest.js';
import { keepAs, withRestored } from './restored-database.js';

export interface RestoreReport {
  readonly backup: BackupManifest;
  readonly database: string;
  readonly durationMs: number;
}

/**
 * Restores a backup into a new database beside the others, which has its name only when it is complete. It keeps the
 * stamp of the original: only `airlock db provision --adopt` makes it a database of the environment.
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
  await assertNewName(options, database);
  await withRestored(options, { backup }, (restored) =>
    keepAs(restored, database).catch((error: unknown) => {
      throw (error as { code?: string }).code === DUPLICATE_DATABASE ? refuseExisting(database) : error;
    }),
  );
  return { backup, database, durationMs: Date.now() - started };
}

const DUPLICATE_DATABASE = '42P04';

async function assertNewName(options: RestoreOptions, database: string): Promise<void> {
  const most = maxDatabaseNameBytes(options.environment);
  if (!/^[a-z][a-z0-9_]*$/.test(database) || database.length > most)
    throw refuse(
      'existing-database',
      `"${database}": is not a valid name; expected a new database of lowercase letters, digits and _, at most ${most}`,
    );
  const { rowCount } = await withClient(options.admin, createContext(options, 'restore'), (admin) =>
    admin.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [database]),
  );
  if (rowCount) throw refuseExisting(database);
}

function refuseExisting(database: string) {
  return refuse(
    'existing-database',
    `database "${database}": exists, and a restore changes no existing database; expected a new name`,
  );
}
