import type { BackupError, CreateOptions, DrillOptions } from '@airlock/backups';
import { ConfigError } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { describeFailure } from './report-failure.js';

export type LoadedBackups = CreateOptions & DrillOptions;
type Work = Pick<Parameters<typeof import('@airlock/backups').runSchedule>[0], 'backup' | 'drill'>;

/**
 * Runs a command with the storage of backups. SIGINT and SIGTERM stop the tools that it has started.
 *
 * @throws ConfigError if BACKUP_URL or DATABASE_ADMIN_URL is not set
 */
export async function withBackups<T>(use: (options: LoadedBackups) => Promise<T>): Promise<T> {
  const config = loadConfig({ program: 'backup' });
  const { backups, database, environment } = config;
  const address = required(backups.storage, 'BACKUP_URL', 'a bucket or folder for the backups of this environment');
  const admin = required(database.admin, 'DATABASE_ADMIN_URL', 'a role that may read every row');
  const [{ openBackupStorage }, { model }] = await Promise.all([import('@airlock/storage'), import('@airlock/model')]);
  const storage = await openBackupStorage(address, config);
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('interrupted'));
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    const { keep, recipients, identity, tools } = backups;
    return await use({
      admin,
      app: database.app,
      environment,
      sslCa: database.sslCa,
      storage,
      signal: controller.signal,
      keep,
      recipients,
      identity,
      tools,
      migrations: model.migrations,
      ask: async (copy) => {
        const [{ askCopy }, { describeProduct }] = await Promise.all([
          import('@airlock/service/restore-drill'),
          import('@airlock/service/product'),
        ]);
        return askCopy({ ...config, database: { ...database, app: copy } }, describeProduct(model, []));
      },
    });
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
    storage.close();
  }
}

/** Runs until SIGINT or SIGTERM. @throws ConfigError at once: a wrong configuration does not improve with time */
export async function runBackupSchedule(
  schedule: { readonly backupEveryMs: number; readonly drillEveryMs: number },
  work: Work,
): Promise<void> {
  await withBackups(() => Promise.resolve());
  const { loadPast, runSchedule } = await import('@airlock/backups');
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    await runSchedule({
      ...work,
      schedule,
      signal: controller.signal,
      loadPast: () => withBackups(loadPast),
      onFailure: (error) => console.error(describeFailure(error)),
    });
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}

/** The name of a failure for scripts; the message is on stderr. */
export function printProblem(error: unknown, isJson: boolean | undefined): never {
  if (isJson && (error as Error | undefined)?.name === 'BackupError')
    console.log(JSON.stringify({ problem: (error as BackupError).problem }));
  throw error;
}

function required<T>(value: T | undefined, name: string, expected: string): T {
  if (value !== undefined) return value;
  throw new ConfigError([{ name, problem: 'is not set', expected, fix: `set ${name}` }]);
}
