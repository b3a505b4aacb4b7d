import type { RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import type { BackupManifest } from './manifest.js';
import { assertRecordable, recordProof } from './proofs.js';
import { withRestored } from './restored-database.js';

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
