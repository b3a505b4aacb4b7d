import { Command } from 'commander';
import type { Environment } from '@airlock/config';
import { createEnvironmentOption } from '../command-line/environment-option.js';
import { describeFreshStart } from '../command-line/fresh-start.js';
import { withInterrupts } from '../command-line/interrupts.js';

interface Options {
  readonly environment?: Environment;
  readonly plan?: true;
  readonly rehearse?: true;
  readonly to?: string;
  readonly actor?: string;
  readonly json?: true;
}

export function dbMigrateCommand(): Command {
  return new Command('migrate')
    .description('apply the pending migrations, forward only; safe to run concurrently and to interrupt')
    .option('--plan', 'print the pending migrations and change nothing')
    .option(
      '--rehearse',
      'in staging, after a refresh: run them on a clone of the database under load, record their locks and waits, and drop it',
    )
    .option('--to <name>', 'stop after this migration (default: the last), e.g. --to 20260304050607-add-nickname')
    .addOption(createEnvironmentOption('refuse to run in any other environment, e.g. --environment staging'))
    .option(
      '--actor <name>',
      'the user named in the journal (default: the user of this system), e.g. --actor deploy-412',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\n--rehearse also reads DATABASE_ADMIN_URL. It ends the sessions of the database, which wait while it is cloned.\n' +
        'Exit codes: 0 done, 1 failed or over a budget, 3 refused, 78 configuration.\n\n' +
        'Example: airlock db migrate --rehearse',
    )
    .action((options: Options) => (options.rehearse ? runRehearsal(options) : run(options)));
}

async function run({ plan, ...options }: Options): Promise<void> {
  const [{ loadConfig }, { model }] = await Promise.all([import('@airlock/config/loading'), import('@airlock/model')]);
  const target = { ...model, config: loadConfig({ program: 'migrate' }), expected: options.environment };
  try {
    await (plan ? printPlan(target, options) : apply(target, options));
  } catch (error) {
    if (error instanceof Error) error.message += describeFreshStart(error, target.config);
    throw error;
  }
}

type Target = Parameters<typeof import('@airlock/database/operations').migrate>[0];

async function printPlan(target: Target, { to, json }: Options): Promise<void> {
  const { loadPlan } = await import('@airlock/database/operations');
  const pending = await loadPlan({ ...target, to });
  if (json) return console.log(JSON.stringify({ pending }, null, 2));
  if (pending.length === 0) return console.log('nothing to apply');
  for (const { name, phase, statements } of pending) {
    console.log(`-- ${name} (${phase})`);
    for (const { sql } of statements) console.log(`${sql};\n`);
  }
}

async function apply(target: Target, { to, actor, json }: Options): Promise<void> {
  const { describeEvent, migrate } = await import('@airlock/database/operations');
  const report = await withInterrupts((signal) =>
    // Progress goes to stderr, so that stdout contains only the report.
    migrate({ ...target, to, actor, signal, onEvent: (event) => console.error(describeEvent(event)) }),
  );
  if (json) return console.log(JSON.stringify(report, null, 2));
  const what = report.applied.length === 0 ? 'up to date' : `${report.applied.length} applied`;
  console.log(`${report.database}: ${what}, at ${report.head ?? 'no migration'}`);
}

async function runRehearsal({ environment, to, actor, json }: Options): Promise<void> {
  const [{ assertTakesCopies, describeEvent, describeRehearsal, judgeRehearsal, rehearse }, { model }, { loadConfig }] =
    await Promise.all([
      import('@airlock/database/operations'),
      import('@airlock/model'),
      import('@airlock/config/loading'),
    ]);
  const { migrations, backfills } = model;
  const config = loadConfig({ program: 'provision' });
  assertTakesCopies(config);
  const { database, rehearsals } = await withInterrupts((signal) =>
    rehearse({
      ...{ migrations, backfills, config, expected: environment, to, actor, signal },
      onEvent: (event) => console.error(describeEvent(event)),
    }),
  );
  if (rehearsals.some((rehearsal) => judgeRehearsal(rehearsal).length > 0)) process.exitCode = 1;
  if (json) return console.log(JSON.stringify({ database, rehearsals }, null, 2));
  for (const line of rehearsals.flatMap(describeRehearsal)) console.log(line);
  if (rehearsals.length === 0) console.log(`${database}: no migration is pending`);
}
