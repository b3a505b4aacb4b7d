import type { RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { createRecovery, type Recovery } from './heartbeat.js';
import type { BackupManifest } from './manifest.js';
import { assertRecordable, recordProof } from './proofs.js';
import { withRestored } from './restored-database.js';

export interface DrillReport extends Recovery {
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
  const recovery = await withRestored(options, { backup }, ({ heartbeatAt }) =>
    Promise.resolve(createRecovery(heartbeatAt, started)),
  );
  await recordProof(options, backup, recovery);
  return { backup, durationMs: Date.now() - started, ...recovery };
}
