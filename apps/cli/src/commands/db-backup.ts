import { Command, InvalidArgumentError } from 'commander';
import type { BackupManifest } from '@airlock/backups';
import { parseEvery } from '../command-line/parse-every.js';
import { warnOfDoubts } from '../command-line/warn-of-doubts.js';

const READS = '\nReads ENVIRONMENT, DATABASE_URL, DATABASE_ADMIN_URL and the BACKUP_ variables.\n';

export function dbBackupCommand(): Command {
  return new Command('backup')
    .description('store a compressed dump of the database with its checksum and row counts, and remove old ones')
    .option('--keep <number>', 'how many backups to keep (default: BACKUP_KEEP), e.g. --keep 30', parseKeep)
    .option('--every <duration>', 'do not end: store a backup as often as this, e.g. --every 24h', parseEvery)
    .option(
      '--drill-every <duration>',
      'with --every: also prove the newest as often, e.g. --drill-every 168h',
      parseEvery,
    )
    .option('--json', 'print the report as JSON; of a failure its name')
    .addHelpText(
      'after',
      `${READS}Exit codes: 0 stored, 1 failed, 3 refused, 78 configuration.\n\nExample: airlock db backup`,
    )
    .action(async ({ every, drillEvery, ...options }: BackupFlags) => {
      if (every === undefined) return backUp(options);
      const { runBackupSchedule } = await import('../command-line/load-backups.js');
      const schedule = { backupEveryMs: every, drillEveryMs: drillEvery ?? Infinity };
      await runBackupSchedule(schedule, { backup: () => backUp(options), drill: () => drill(options) });
    });
}

interface BackupFlags {
  readonly keep?: number;
  readonly every?: number;
  readonly drillEvery?: number;
  readonly json?: true;
}

async function backUp({ keep, json }: Pick<BackupFlags, 'keep' | 'json'>): Promise<void> {
  const { printProblem, withBackups } = await import('../command-line/load-backups.js');
  const { createBackup } = await import('@airlock/backups');
  const { backup, removed, isRecorded } = await withBackups((options) =>
    createBackup({ ...options, keep: keep ?? options.keep }),
  ).catch((error: unknown) => printProblem(error, json));
  warnOfDoubts(backup);
  if (!isRecorded)
    console.error(
      'warning: not recorded in ops.backups, so MIGRATION_BACKUP_AGE does not count it; expected a role that may become the owner, and airlock db migrate',
    );
  if (json) return console.log(JSON.stringify({ backup, removed, isRecorded }, null, 2));
  console.log(`${describe(backup)}${removed.length > 0 ? `; removed ${removed.join(', ')}` : ''}`);
}

export function dbBackupsCommand(): Command {
  return new Command('backups')
    .description('list the backups, the newest first')
    .option('--json', 'print the manifests as JSON')
    .action(async ({ json }: { json?: true }) => {
      const { withBackups } = await import('../command-line/load-backups.js');
      const { BackupStore } = await import('@airlock/backups');
      const found = await withBackups(async ({ storage, environment }) => {
        const store = new BackupStore(storage, environment);
        const names = await store.list();
        return Promise.all(
          names.map((name) => store.load(name).catch((error: Error) => ({ name, problem: error.message }))),
        );
      });
      if (json) return console.log(JSON.stringify(found, null, 2));
      for (const one of found) console.log('problem' in one ? one.problem : describe(one));
      if (found.length === 0) console.log('no backups');
    });
}

export function dbRestoreCommand(): Command {
  return new Command('restore')
    .description('restore a backup into a new database beside the others, and compare the two; never over a database')
    .argument('<backup>', 'its name, as `airlock db backups` shows it, or latest')
    .requiredOption('--as <database>', 'the name of the new database, e.g. --as airlock_restored')
    .option('--json', 'print the report as JSON; of a failure its name')
    .addHelpText(
      'after',
      `${READS}The new database keeps the stamp of the original, so no process starts on it before it is adopted.\n` +
        'Exit codes: 0 restored, 1 failed and dropped, 3 refused and nothing changed, 78 configuration.\n\n' +
        'Example: airlock db restore latest --as airlock_restored',
    )
    .action(async (name: string, { as, json }: { as: string; json?: true }) => {
      const { printProblem, withBackups } = await import('../command-line/load-backups.js');
      const { restoreBackup } = await import('@airlock/backups');
      const report = await withBackups((options) => restoreBackup(options, { name, as })).catch((error: unknown) =>
        printProblem(error, json),
      );
      warnOfDoubts(report.backup);
      if (json) return console.log(JSON.stringify(report, null, 2));
      console.log(`${report.database}: has the rows of ${report.backup.name}, compared with its manifest`);
      console.log(
        `  airlock db provision --adopt ${report.database}   # with the URLs of this database, if it should become ${report.backup.environment}`,
      );
    });
}

export function dbRestoreDrillCommand(): Command {
  return new Command('restore-drill')
    .description(
      'restore the newest backup into a throw-away database, compare the two, read it as the application, and record the proof',
    )
    .option('--json', 'print the report as JSON; of a failure its name')
    .addHelpText(
      'after',
      `${READS}airlock db status then shows the age of the newest backup that was proved.\n` +
        'Exit codes: 0 proved, 1 not restorable, 3 refused, 78 configuration.\n\nExample: airlock db restore-drill',
    )
    .action(drill);
}

async function drill({ json }: { json?: true }): Promise<void> {
  const { printProblem, withBackups } = await import('../command-line/load-backups.js');
  const { describeRecovery, restoreDrill } = await import('@airlock/backups');
  const report = await withBackups(restoreDrill).catch((error: unknown) => printProblem(error, json));
  warnOfDoubts(report.backup);
  if (json) return console.log(JSON.stringify(report, null, 2));
  const { backup, durationMs, pending } = report;
  const asked = pending === 0 ? ', and asked as the application,' : '';
  console.log(`${backup.name}: restored and compared${asked} in ${durationMs} ms`);
  console.log(describeRecovery(report));
  if (pending > 0) console.log(`  not asked as the application: it lacks ${pending} migrations of this release`);
}

function describe({ name, bytes, contents, doubts, isEncrypted }: BackupManifest): string {
  const rows = Object.values(contents.rows).reduce((sum, count) => sum + count, 0);
  const notes = [isEncrypted && 'encrypted', doubts.length > 0 && 'shrunken'].filter((note) => note !== false);
  return [`${name}: ${bytes} bytes, ${rows} rows in ${Object.keys(contents.rows).length} tables`, ...notes].join(', ');
}

function parseKeep(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number from 1 to 9999.');
}
