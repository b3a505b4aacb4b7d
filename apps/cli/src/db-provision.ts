import { Command } from 'commander';
import { ConfigError, loadConfig } from '@airlock/config';

export function dbProvisionCommand(): Command {
  return new Command('provision')
    .description('make roles, database, grants and identity stamp; again, it mends what differs and sets the passwords')
    .option('--adopt <name>', 'the full name of a database that holds something and shall belong to this environment')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT, DATABASE_URL, DATABASE_MIGRATION_URL and DATABASE_ADMIN_URL.\n' +
        'Exit codes: 0 done, 3 refused and nothing changed, 78 configuration.\n\n' +
        'Example: airlock db provision --adopt airlock_staging',
    )
    .action(async ({ adopt, json }: { adopt?: string; json?: true }) => {
      const { environment, database } = loadConfig();
      const { app, sslCa } = database;
      const migration = required(database.migration, 'DATABASE_MIGRATION_URL', 'the address of the migrator');
      const admin = required(database.admin, 'DATABASE_ADMIN_URL', 'a role that may create roles and databases');
      const { provision, saveProvisionRecord } = await import('@airlock/database');
      const report = await provision({ admin, app, migration, environment, sslCa, adopt });
      const { systemIdentifier, databaseName } = report.stamp;
      const { host, port } = app;
      saveProvisionRecord(process.cwd(), { environment, host, port, database: databaseName, systemIdentifier });
      for (const warning of report.warnings) console.error(`warning: ${warning}`);
      if (json) return console.log(JSON.stringify(report, null, 2));
      console.log(
        `${report.database}: ${report.created ? 'created' : 'up to date'}, stamped ${environment} on server ${systemIdentifier}`,
      );
    });
}

function required<T>(value: T | undefined, name: string, expected: string): T {
  if (value !== undefined) return value;
  throw new ConfigError([{ name, problem: 'is not set', expected, mend: `export ${name} for this one command` }]);
}
