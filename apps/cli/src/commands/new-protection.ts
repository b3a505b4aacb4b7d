import { Command, Option } from 'commander';
import type { Visibility } from '@airlock/authoring';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly owner?: string;
  readonly through?: string;
  readonly shared?: true;
  readonly system?: true;
}

export function newProtectionCommand(): Command {
  return new Command('protection')
    .description('create the migration that gives a table row-level security')
    .argument('<table>', 'its name in schema public, e.g. orders')
    .addOption(
      new Option(
        '--owner <column>',
        'each user sees the rows in which this column is the id of the user, e.g. --owner customer_id',
      ).conflicts(['through', 'shared', 'system']),
    )
    .addOption(
      new Option(
        '--through <key>',
        'each user sees the rows whose foreign key points at a visible row, e.g. --through lines_order_id_fkey',
      ).conflicts(['shared', 'system']),
    )
    .addOption(
      new Option('--shared', 'each user reads every row, and only the system changes them').conflicts('system'),
    )
    .option(
      '--system',
      'no user sees a row, only the system; also for a partition, whose rows users read through its table',
    )
    .addHelpText('after', '\nExample: airlock new protection orders --owner customer_id\nGuide: docs/adoption.md')
    .action(run);
}

async function run(table: string, options: Options): Promise<void> {
  const visibility = parseVisibility(options);
  const { createProtection } = await loadWorkspaceOnly('new protection', () => import('@airlock/authoring'));
  const { path, hasIndex, isPartitioned } = await createProtection({ table, visibility });
  console.log(`${path}\n  Then: airlock db lint && airlock db drift --template --write`);
  if (!hasIndex)
    console.log(
      `  ${table} has no index that begins with the column of its policy: airlock new migration index-${table} --alone`,
    );
  if (isPartitioned)
    console.log(`  ${table} is partitioned; for each partition: airlock new protection PARTITION --system`);
}

function parseVisibility({ owner, through, shared, system }: Options): Visibility {
  if (owner !== undefined) return { owner };
  if (through !== undefined) return { through };
  if (shared) return { shared };
  if (system) return { system };
  const message =
    'airlock new protection: does not say who sees a row; expected --owner, --through, --shared or --system';
  throw Object.assign(new Error(`${message}\n  airlock new protection --help   # details`), { exitCode: 2 });
}
