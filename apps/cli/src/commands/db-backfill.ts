import { Command, InvalidArgumentError } from 'commander';
import type { Environment } from '@airlock/config';
import { describeBackfill } from '../command-line/describe-backfill.js';
import { createEnvironmentOption } from '../command-line/environment-option.js';
import { withInterrupts } from '../command-line/interrupts.js';

interface Options {
  readonly environment?: Environment;
  readonly status?: true;
  readonly plan?: true;
  readonly restart?: true;
  readonly maxLag?: number;
  readonly actor?: string;
  readonly json?: true;
}

export function dbBackfillCommand(): Command {
  return new Command('backfill')
    .description(
      'change the rows that a migration leaves to a backfill, in small batches; safe to interrupt and to repeat',
    )
    .argument('[name]', 'the backfill, or all of them with --status, e.g. fill-nickname')
    .option('--status', 'print how far it is, or how far all are, and change nothing')
    .option('--plan', 'print the statement of a batch, try the first batch, and change nothing')
    .option('--restart', 'forget how far it is, and walk all rows again')
    .option(
      '--max-lag <seconds>',
      'pause while a replica is further behind (default: 10), e.g. --max-lag 2',
      parseSeconds,
    )
    .addOption(createEnvironmentOption('refuse to run in any other environment, e.g. --environment staging'))
    .option('--actor <name>', 'the user named in the journal (default: the user of this system), e.g. --actor ada')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 complete, 1 failed or interrupted with its progress kept, 3 refused, 69 no database, 78 configuration.\n\n' +
        'Example: airlock db backfill fill-nickname --environment production\nGuide: docs/migrations.md',
    )
    .action(run);
}

async function run(name: string | undefined, options: Options, command: Command): Promise<void> {
  const [{ loadConfig }, { model }] = await Promise.all([import('@airlock/config/loading'), import('@airlock/model')]);
  const target = { ...model, config: loadConfig({ program: 'migrate' }), expected: options.environment };
  if (options.status) return printStatus(target, { ...options, name });
  if (name === undefined) return command.error('error: name a backfill, or list all of them with --status');
  await (options.plan ? printPlan({ ...target, name }, options) : backfill({ ...target, name }, options));
}

type Target = Parameters<typeof import('@airlock/database/operations').loadBackfillPlan>[0];

async function printStatus(target: Omit<Target, 'name'>, { name, json }: Options & { name: string | undefined }) {
  const { assertBackfill, loadStatus } = await import('@airlock/database/operations');
  if (name !== undefined) assertBackfill({ ...target, name });
  const { backfills } = await loadStatus(target);
  const chosen = backfills.filter((one) => name === undefined || one.name === name);
  if (json) return console.log(JSON.stringify({ backfills: chosen }, null, 2));
  if (chosen.length === 0) return console.log('this code has no backfill');
  for (const one of chosen) console.log(describeBackfill(one));
}

async function printPlan(target: Target, { json }: Options): Promise<void> {
  const { loadBackfillPlan } = await import('@airlock/database/operations');
  const plan = await loadBackfillPlan(target);
  if (json) return console.log(JSON.stringify({ plan: plan ?? null }, null, 2));
  if (plan === undefined) return console.log(`${target.name}: complete, nothing to change`);
  const { table, key, role, expectedRows, sql, firstBatch } = plan;
  console.log(`${sql};\n`);
  console.log(`walks ${table} by (${key.join(', ')}) as ${role}, ${expectedRows ?? 'an unknown number of'} rows`);
  console.log(`first batch: would change ${firstBatch.changed} of ${firstBatch.rows} rows`);
}

async function backfill(target: Target, { restart, maxLag, actor, json }: Options): Promise<void> {
  const { describeBackfillEvent, runBackfill } = await import('@airlock/database/operations');
  const limits = maxLag === undefined ? undefined : { maxLagMs: maxLag * 1_000 };
  const report = await withInterrupts((signal) =>
    // Progress goes to stderr, so that stdout contains only the report.
    runBackfill({
      ...{ ...target, isRestart: restart, actor, limits, signal },
      onEvent: (event) => console.error(describeBackfillEvent(event)),
    }),
  );
  if (json) return console.log(JSON.stringify(report, null, 2));
  console.log(`${report.database}: ${report.name} complete, ${report.changed} rows changed`);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds > 0 && seconds <= 3_600) return seconds;
  throw new InvalidArgumentError('expected a number above 0, of at most 3600');
}
