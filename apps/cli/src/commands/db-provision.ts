import { Command } from 'commander';
import type { DatabaseAddress, Environment } from '@airlock/config';
import type { saveProvisionRecord } from '@airlock/database/operations';

export function dbProvisionCommand(): Command {
  return new Command('provision')
    .description(
      'create roles, database, grants and stamp; safe to repeat: repairs differences and resets the passwords',
    )
    .option('--adopt <name>', 'the full name of a database with data that this environment should adopt')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT, DATABASE_URL, DATABASE_MIGRATION_URL and DATABASE_ADMIN_URL.\n' +
        'Exit codes: 0 done, 3 refused and nothing changed, 78 configuration.\n\n' +
        'Example: airlock db provision --adopt airlock_staging',
    )
    .action(async ({ adopt, json }: { adopt?: string; json?: true }) => {
      const { loadProvisioning } = await import('../command-line/load-provisioning.js');
      const logins = loadProvisioning();
      const { admin, app, environment } = logins;
      const { provision, saveProvisionRecord } = await import('@airlock/database/operations');
      const report = await provision({ ...logins, adopt }).catch(async (error: unknown) => {
        const { explainRefusal } = await import('../command-line/explain-refusal.js');
        throw explainRefusal(admin.user, error);
      });
      const { systemIdentifier } = report.stamp;
      const { traitsOf } = await import('@airlock/config');
      const kept = traitsOf(environment).mayBeReset
        ? keepRecord({ environment, app, systemIdentifier }, saveProvisionRecord)
        : [];
      for (const warning of [...report.warnings, ...kept]) console.error(`warning: ${warning}`);
      if (json) return console.log(JSON.stringify(report, null, 2));
      console.log(
        `${report.database}: ${report.created ? 'created' : 'up to date'}, stamped ${environment} on server ${systemIdentifier}`,
      );
    });
}

interface Provisioned {
  readonly environment: Environment;
  readonly app: DatabaseAddress;
  readonly systemIdentifier: string;
}

/** The reset trusts this file, not the database. A container may have no place for it, and never resets. */
function keepRecord({ environment, app, systemIdentifier }: Provisioned, save: typeof saveProvisionRecord): string[] {
  const { host, port, database } = app;
  try {
    save(process.cwd(), { environment, host, port, database, systemIdentifier });
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [`the record of this server cannot be written (${reason}), so \`airlock db reset-test\` will refuse it`];
  }
}
