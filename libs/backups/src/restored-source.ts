import type { DatabaseAddress } from '@airlock/config';
import { StorageError } from '@airlock/storage';
import { createContext } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { assertRoomFor, withServer } from './cluster/with-server.js';
import { assertAlive, createRecovery, type Recovery } from './heartbeat.js';
import type { BackupManifest } from './manifest.js';
import { refuse } from './problems/backup-error.js';
import { withRestored } from './restored-database.js';
import { type DumpOptions, verifyDump } from './stored-dump.js';
import { assertTools } from './tools/assert-tools.js';

export interface SourceOptions extends DumpOptions {
  /** Where the throw-away server keeps its rows. */
  readonly folder: string;
  /** How much older than the backup its heartbeat may be. */
  readonly maxLagMs: number;
}

export interface RestoredSource {
  readonly address: DatabaseAddress;
  readonly backup: BackupManifest;
  readonly recovery: Recovery;
}

/** Of a dump whose manifest is without the size of the database: text packs about so well, and indexes are not in a dump. */
const LARGEST_RATIO = 10;

/**
 * Restores the newest backup into a throw-away server, which only this process can reach, for as long as `use` runs. No
 * process of an environment would start on it: its stamp is that of the original.
 *
 * @throws BackupError
 */
export async function withRestoredSource<T>(
  options: SourceOptions,
  use: (source: RestoredSource) => Promise<T>,
): Promise<T> {
  const backup = await new BackupStore(options.storage, options.environment).loadNewest().catch(nameRefusal);
  assertSameRelease(backup, options.migrations);
  const started = Date.now();
  await assertTools(backup.server.major, options.tools, ['pg_restore', 'initdb', 'postgres']);
  const bytes = backup.databaseBytes ?? backup.bytes * LARGEST_RATIO;
  assertRoomFor({ name: backup.name, bytes }, options.folder);
  const dump = await verifyDump(backup, options, { isSealed: true });
  const server = { parent: options.folder, tools: options.tools, context: createContext(options, 'restore') };
  return withServer(server, (admin) =>
    withRestored({ ...options, admin, app: admin }, { backup, dump }, ({ address, heartbeatAt }) => {
      const recovery = createRecovery(heartbeatAt, started);
      assertAlive(backup, recovery, options.maxLagMs);
      return use({ address, backup, recovery });
    }),
  );
}

/** Rows fit only the schema that they were read with. Hours before, as a manifest has the migrations. */
function assertSameRelease({ name, contents }: BackupManifest, migrations: DumpOptions['migrations']): void {
  const applied = new Set(contents.migrations.map((migration) => migration.name));
  const missing = migrations.find((migration) => !applied.has(migration.name));
  if (missing === undefined) return;
  throw refuse(
    'missing-migrations',
    `${name}: lacks the migration ${missing.name} of this release; expected a release with the same migrations\n` +
      '  run the refresh in the release that serves production, then migrate the result',
  );
}

/** The stamp of the storage is that of another environment, or of uploads. */
function nameRefusal(error: unknown): never {
  if (error instanceof StorageError && error.kind === 'refused') throw refuse('other-environment', error.message);
  throw error;
}
