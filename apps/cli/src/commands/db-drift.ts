import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly template?: true;
  readonly write?: true;
  readonly json?: true;
}

export function dbDriftCommand(): Command {
  return new Command('drift')
    .description(
      'compare the schema of the database with the one that the migrations create, including policies and grants',
    )
    .option('--template', 'compare a freshly migrated database with schema.sql and the entities instead')
    .option('--write', 'with --template: write schema.sql and known-objects.json again')
    .option('--json', 'print the difference as JSON')
    .action(run);
}

async function run({ template, write, json }: Options): Promise<void> {
  if (template) return checkTemplate(write ?? false);
  const [{ loadConfig }, { DriftError, findDrift, hasDrift }, { model }] = await Promise.all([
    import('@airlock/config/loading'),
    import('@airlock/database/operations'),
    import('@airlock/model'),
  ]);
  const config = loadConfig({ program: 'migrate' });
  const drift = await findDrift({ config, ...model });
  if (json) console.log(JSON.stringify(drift, null, 2));
  if (hasDrift(drift))
    throw new DriftError(
      config.database.app.database,
      drift,
      'After a new migration, update the expected schema: airlock db drift --template --write\n' +
        '  Otherwise apply the pending migrations, or find out who changed the schema by hand: airlock db status',
    );
  if (!json) console.log(`${config.database.app.database}: no drift, the schema matches the migrations`);
}

async function checkTemplate(isWritten: boolean): Promise<void> {
  const checks = await loadWorkspaceOnly('db drift', () => import('@airlock/database-dev/migration-checks'));
  const { model } = await import('@airlock/model');
  await checks.checkTemplate({ ...model, isWritten });
  console.log('migrations, schema.sql and entities agree');
}
