import { Command, InvalidArgumentError } from 'commander';
import type { RowProgress } from '@airlock/database/operations';

interface Options {
  readonly percent?: number;
  readonly canary?: readonly string[];
  readonly json?: true;
}

export function dbRefreshCommand(): Command {
  return new Command('refresh')
    .description('replace the database of staging by the masked rows of a restored copy of production')
    .option(
      '--percent <number>',
      'copy the rows of this part of all persons (default: 100), e.g. --percent 5',
      parsePercent,
    )
    .option('--canary <text...>', 'a text that the source holds and the result must not, e.g. --canary jane@corp.com')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT, DATABASE_URL, DATABASE_MIGRATION_URL, DATABASE_ADMIN_URL, REFRESH_SOURCE_URL and REFRESH_KEY.\n' +
        'A new database is migrated, filled column by column as the classes beside the entities say, checked, and gets the\n' +
        'name of the database. The old one stays beside it, as NAME_old, until the next run.\n' +
        'Exit codes: 0 done, 1 failed and the old rows still serve, 3 refused, 78 configuration.\n\nExample: airlock db refresh --percent 5',
    )
    .action(run);
}

async function run({ json, percent, canary }: Options): Promise<void> {
  const [{ assertTakesCopies, refresh, withClient, withFlatMemory }, { model }, { loadRefresh }] = await Promise.all([
    import('@airlock/database/operations'),
    import('@airlock/model'),
    import('../command-line/load-provisioning.js'),
  ]);
  const { config, source, key } = loadRefresh(assertTakesCopies);
  const classes = await model.loadClasses();
  const report = await withClient(source, { config, purpose: 'refresh-source' }, (session) =>
    withFlatMemory(() =>
      refresh({
        ...{ config, source: session, key, percent, canaries: canary },
        ...{ migrations: model.migrations, backfills: model.backfills, classes, onProgress: printProgress },
      }),
    ),
  );
  if (json) return console.log(JSON.stringify(report, null, 2));
  for (const [table, rows] of Object.entries(report.rows)) console.log(`${table}: ${rows} rows`);
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
