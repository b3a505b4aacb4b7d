import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { RowProgress } from '@airlock/database/operations';
import { parseEvery } from '../command-line/parse-every.js';
import { warnOfDoubts } from '../command-line/warn-of-doubts.js';

interface Options {
  readonly percent?: number;
  readonly canary?: readonly string[];
  readonly folder: string;
  readonly heartbeatWithin?: number;
  readonly json?: true;
}

export function dbRefreshCommand(): Command {
  return new Command('refresh')
    .description('replace the database of staging by the masked rows of the last backup of production')
    .option(
      '--percent <number>',
      'copy the rows of this part of all persons (default: 100), e.g. --percent 5',
      parsePercent,
    )
    .option('--canary <text...>', 'a text that the source holds and the result must not, e.g. --canary jane@corp.com')
    .option(
      '--folder <path>',
      'where the backup is restored, by default the folder for temporary files, e.g. --folder /dev/shm',
      tmpdir(),
    )
    .option(
      '--heartbeat-within <duration>',
      'how much older than the backup its last heartbeat may be (default: 15m), e.g. --heartbeat-within 2h',
      parseEvery,
    )
    .option('--json', 'print the report as JSON; of a failed restore its name')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT, DATABASE_URL, DATABASE_MIGRATION_URL, DATABASE_ADMIN_URL, REFRESH_KEY and\n' +
        'REFRESH_BACKUP_URL, REFRESH_BACKUP_IDENTITY and BACKUP_TOOLS; or, for a server that was restored by hand, REFRESH_SOURCE_URL.\n' +
        'The newest backup is restored into a PostgreSQL that only this command can reach, and that ends with it.\n' +
        'A new database is migrated, filled column by column as the classes beside the entities say, checked, and gets the\n' +
        'name of the database. The old one stays beside it, as NAME_old, until the next run.\n' +
        'Exit codes: 0 done, 1 failed and the old rows still serve, 3 refused, 78 configuration.\n\nExample: airlock db refresh --percent 5',
    )
    .action(run);
}

/** Heartbeats come every minute. A deploy or a failover can keep them for some; a database that no process uses, for ever. */
const HEARTBEAT_WITHIN_MS = 15 * 60_000;

async function run({ json, percent, canary, folder, heartbeatWithin = HEARTBEAT_WITHIN_MS }: Options): Promise<void> {
  const [
    { assertTakesCopies, refresh, withFlatMemory },
    { model },
    { loadRefresh },
    { withRefreshSource },
    { printProblem },
  ] = await Promise.all([
    import('@airlock/database/operations'),
    import('@airlock/model'),
    import('../command-line/load-provisioning.js'),
    import('../command-line/with-refresh-source.js'),
    import('../command-line/load-backups.js'),
  ]);
  const { config, key } = loadRefresh(assertTakesCopies);
  const { describeRecovery } = await import('@airlock/backups');
  const classes = await model.loadClasses();
  const flags = { folder, maxLagMs: heartbeatWithin };
  const report = await withRefreshSource(config, flags, async (session, restored) => {
    if (restored) {
      console.error(`refresh: ${restored.backup.name} is restored and compared`);
      warnOfDoubts(restored.backup);
    }
    const filled = await withFlatMemory(() =>
      refresh({
        ...{ config, source: session, key, percent, canaries: canary },
        ...{ migrations: model.migrations, backfills: model.backfills, classes, onProgress: printProgress },
      }),
    );
    return { ...filled, ...(restored && { backup: restored.backup.name, recovery: restored.recovery }) };
  }).catch((error: unknown) => printProblem(error, json));
  if (json) return console.log(JSON.stringify(report, null, 2));
  for (const [table, rows] of Object.entries(report.rows)) console.log(`${table}: ${rows} rows`);
  if (report.recovery) console.log(`${report.backup}: ${describeRecovery(report.recovery)}`);
  console.log(`${report.database}: filled from ${report.from.environment}, ${report.scannedColumns} columns checked`);
}

function printProgress({ table, rows, expectedRows, rowsPerSecond, secondsLeft }: RowProgress): void {
  const total = expectedRows > 0 ? ` of about ${Math.round(expectedRows)}` : '';
  const left = secondsLeft === undefined ? '' : `, ${secondsLeft} s left`;
  console.error(`refresh: ${table}, ${rows}${total} rows, ${rowsPerSecond} per second${left}`);
}

function parsePercent(text: string): number {
  const percent = Number(text);
  if (percent > 0 && percent <= 100) return percent;
  throw new InvalidArgumentError('expected a number above 0, of at most 100');
}
