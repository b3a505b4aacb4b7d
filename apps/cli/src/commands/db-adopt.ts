import { Command, Option } from 'commander';
import type { Environment } from '@airlock/config';
import type { Classes } from '@airlock/database/model';
import { createEnvironmentOption } from '../command-line/environment-option.js';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly write?: true;
  readonly apply?: string;
  readonly environment?: Environment;
  readonly actor?: string;
  readonly json?: true;
}

export function dbAdoptCommand(): Command {
  return new Command('adopt')
    .description(
      'take over an existing database with its tables; without an option, print what is there and change nothing',
    )
    .addOption(
      new Option(
        '--write',
        'write the baseline migration and the classes of its columns, after proving it in an empty database',
      ).conflicts('apply'),
    )
    .option('--apply <name>', 'make the database ours; its full name, e.g. --apply airlock_staging')
    .addOption(createEnvironmentOption('refuse to run in any other environment, e.g. --environment staging'))
    .option(
      '--actor <name>',
      'the user named in the journal (default: the user of this system), e.g. --actor deploy-412',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT, DATABASE_URL, DATABASE_MIGRATION_URL and DATABASE_ADMIN_URL.\n' +
        'Exit codes: 0 done, 3 refused and nothing changed, 78 configuration.\n\nExample: airlock db adopt\nGuide: docs/adoption.md',
    )
    .action(run);
}

type Place = ReturnType<typeof import('../command-line/load-provisioning.js').loadProvisioning>;

async function run(options: Options): Promise<void> {
  const { loadProvisioning } = await import('../command-line/load-provisioning.js');
  const place = loadProvisioning();
  assertTarget(place, options);
  if (options.write) return writeBaseline(place);
  return options.apply === undefined ? printInventory(place, options) : apply(place, options);
}

/** The name confirms the database, as `airlock db provision --adopt` does. */
function assertTarget({ app, environment }: Place, { apply, environment: expected }: Options): void {
  const refuse = (message: string) => {
    throw Object.assign(new Error(`${message}\n  airlock config print   # shows where each address comes from`), {
      exitCode: 3,
    });
  };
  if (expected !== undefined && expected !== environment)
    refuse(`--environment ${expected}: ENVIRONMENT is ${environment}; expected the same`);
  if (apply !== undefined && apply !== app.database)
    refuse(`--apply ${apply}: DATABASE_URL names the database "${app.database}"; expected its full name`);
}

async function printInventory(place: Place, { json }: Options): Promise<void> {
  const { describeInventory, inspectDatabase } = await import('@airlock/database/operations');
  const found = await inspectDatabase(place, await loadSchemaOfCode());
  if (json) return console.log(JSON.stringify(found, null, 2));
  console.log(describeInventory(found, { app: place.app.user }));
  console.log(
    found.refusals.length > 0
      ? '\nNothing was changed. Change what is refused, and run it again.'
      : '\nNothing was changed. Next: airlock db adopt --write   # writes the baseline migration, in a checkout',
  );
}

/** Names of the baseline do not clash with the database that it was written from. */
async function loadSchemaOfCode(): Promise<readonly string[]> {
  const [{ loadSchemaFile }, { model }] = await Promise.all([
    import('@airlock/database/operations'),
    import('@airlock/model'),
  ]);
  return model.migrations.some(({ isBaseline }) => isBaseline) ? [] : loadSchemaFile(model);
}

async function writeBaseline(place: Place): Promise<void> {
  const { assertNoBaseline, createBaseline } = await loadWorkspaceOnly(
    'db adopt --write',
    () => import('@airlock/authoring'),
  );
  assertNoBaseline();
  const { draftBaseline, printClass, suggestClasses } = await import('@airlock/database/operations');
  const { statements, tables, foreignKeys, unprotected } = await draftBaseline(place, await loadSchemaOfCode());
  const print = (columns: Classes[string]) =>
    Object.fromEntries(Object.entries(columns).map(([column, of]): [string, string] => [column, printClass(of)]));
  const suggestions = Object.entries(suggestClasses(tables, foreignKeys)).map(
    ([table, columns]): [string, Record<string, string>] => [table, print(columns)],
  );
  const paths = await createBaseline({ statements, unprotected, suggestions: Object.fromEntries(suggestions) });
  for (const path of paths) console.log(path);
  console.log(
    `${statements.length} statements: in an empty database they made the same schema\n\nUpdate the generated files, and review all of them:`,
  );
  for (const command of ['airlock db inventory --write', 'airlock db drift --template --write'])
    console.log(`  ${command}`);
}

async function apply(place: Place, { json, actor }: Options): Promise<void> {
  const [{ adopt }, { model }, { loadConfig }, { readUserName }] = await Promise.all([
    import('@airlock/database/operations'),
    import('@airlock/model'),
    import('@airlock/config/loading'),
    import('@airlock/config'),
  ]);
  const baseline = model.migrations.find(({ isBaseline }) => isBaseline);
  if (!baseline)
    throw Object.assign(
      new Error('libs/model: has no baseline migration; expected the one of this database\n  airlock db adopt --write'),
      { exitCode: 3 },
    );
  const { commit, imageDigest } = loadConfig({ program: 'provision' }).build;
  const by = { commit, imageDigest, actor: actor ?? readUserName() };
  const onRetry = (reason: string) => console.error(`${reason}: other sessions use a table; trying again`);
  const report = await adopt(place, { baseline, by, onRetry });
  for (const warning of report.warnings) console.error(`warning: ${warning}`);
  if (json) return console.log(JSON.stringify(report, null, 2));
  console.log(
    report.isNew
      ? `${report.database}: adopted in ${place.environment}, with ${report.baseline} recorded as applied\n  airlock db migrate   # applies the later migrations`
      : `${report.database}: was already adopted with ${report.baseline}; nothing was changed`,
  );
}
