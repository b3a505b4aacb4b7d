import { randomBytes } from 'node:crypto';
import type { DatabaseAddress } from '@airlock/config';
import { withClient } from '@airlock/database/sessions';
import type { Client } from 'pg';
import { createContext, type RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { holdLock } from './hold-lock.js';
import type { BackupManifest } from './manifest.js';
import { assertRecordable, recordProof } from './proofs.js';
import { dropDatabase, restoreInto } from './restore-into.js';

const PREFIX = 'airlock_drill_';
/** The name alone does not make a database ours to drop. */
const MARK = 'airlock: a restore drill; dropped by the next one';

export interface DrillReport {
  readonly backup: BackupManifest;
  readonly durationMs: number;
}

/**
 * Restores the newest backup into a database with a random name, compares the two, drops it, and records that this
 * backup can be restored.
 *
 * @throws BackupError
 */
export async function restoreDrill(options: RestoreOptions): Promise<DrillReport> {
  await assertRecordable(options);
  const backup = await new BackupStore(options.storage, options.environment).loadNewest();
  const started = Date.now();
  await withRestored(options, backup, () => Promise.resolve());
  await recordProof(options, backup);
  return { backup, durationMs: Date.now() - started };
}

/**
 * Restores a backup into a throw-away database for as long as `use` runs. No process can start on it: its stamp is that
 * of the original.
 *
 * @param use gets the address of the administrator in that database
 */
export async function withRestored<T>(
  options: RestoreOptions,
  backup: BackupManifest,
  use: (restored: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const database = `${PREFIX}${randomBytes(6).toString('hex')}`;
  return withClient(options.admin, createContext(options, 'drill'), async (admin) => {
    await holdLock(admin, 'drill');
    await dropLeftovers(admin);
    try {
      await restoreInto({ admin, backup, database, options, comment: MARK });
      return await use({ ...options.admin, database });
    } finally {
      await dropDatabase(admin, database);
    }
  });
}

/** Of drills that were killed; the lock shows that none runs. */
async function dropLeftovers(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT datname::text AS name FROM pg_catalog.pg_database
      WHERE datname ~ '^${PREFIX}[0-9a-f]{12}$' AND pg_catalog.shobj_description(oid, 'pg_database') = $1`,
    [MARK],
  );
  for (const { name } of rows) await dropDatabase(admin, name);
}
