import type { DatabaseAddress } from '@airlock/config';
import { escapeIdentifier } from 'pg';
import type { RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { createRecovery, type Recovery } from './heartbeat.js';
import type { BackupManifest } from './manifest.js';
import { BackupError } from './problems/backup-error.js';
import { assertRecordable, recordProof } from './proofs.js';
import { type Restored, withRestored } from './restored-database.js';

export interface DrillOptions extends RestoreOptions {
  /** Asks the restored copy what the application needs of it, with the application's login. Returns what failed. */
  readonly ask: (copy: DatabaseAddress) => Promise<readonly string[]>;
}

export interface DrillReport extends Recovery {
  readonly backup: BackupManifest;
  readonly durationMs: number;
  /** Migrations that came after the backup. This release cannot serve without them, so the copy was not asked. */
  readonly pending: number;
}

/**
 * Restores the newest backup into a database with a random name, compares the two, asks it what the application needs, drops
 * it, and records that this backup can be restored.
 *
 * @throws BackupError
 */
export async function restoreDrill(options: DrillOptions): Promise<DrillReport> {
  await assertRecordable(options);
  const backup = await new BackupStore(options.storage, options.environment).loadNewest();
  const started = Date.now();
  const applied = backup.contents.migrations.map(({ name }) => name);
  const pending = options.migrations.filter(({ name }) => !applied.includes(name)).length;
  const recovery = await withRestored(options, { backup }, async (restored) => {
    const measured = createRecovery(restored.heartbeatAt, started);
    if (pending === 0) await assertServes(restored, { backup, options });
    return measured;
  });
  await recordProof(options, backup, recovery);
  return { backup, durationMs: Date.now() - started, pending, ...recovery };
}

/** Only the owner of the copy may connect, and from here on the application; its processes still refuse the stamp. */
async function assertServes(
  { admin, address }: Restored,
  { backup, options }: { backup: BackupManifest; options: DrillOptions },
): Promise<void> {
  const { user, password } = options.app;
  await admin.query(`GRANT CONNECT ON DATABASE ${escapeIdentifier(address.database)} TO ${escapeIdentifier(user)}`);
  const problems = await options.ask({ ...address, user, password });
  if (problems.length === 0) return;
  const text = `${backup.name}: the application cannot use the restored database; expected that it serves`;
  throw new BackupError('cannot-serve', [text, ...problems.map((line) => `  ${line}`)].join('\n'));
}
