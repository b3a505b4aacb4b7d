import { loadPast, runSchedule } from '@airlock/backups';
import { withBackups } from './load-backups.js';
import { describeFailure } from './report-failure.js';

type Work = Pick<Parameters<typeof runSchedule>[0], 'backup' | 'drill'>;

/** Runs until SIGINT or SIGTERM. @throws ConfigError at once: a wrong configuration does not improve with time */
export async function runBackupSchedule(
  schedule: { readonly backupEveryMs: number; readonly drillEveryMs: number },
  work: Work,
): Promise<void> {
  await withBackups(() => Promise.resolve());
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
