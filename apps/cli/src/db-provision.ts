import { Command } from 'commander';
import { ConfigError, type DatabaseAddress } from '@airlock/config';
import type { saveProvisionRecord } from '@airlock/database';
import { loadProvisioning } from './load-provisioning.js';

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
      const logins = loadProvisioning();
      const { admin, app, environment } = logins;
      const { provision, saveProvisionRecord } = await import('@airlock/database');
      const report = await provision({ ...logins, adopt }).catch((error: unknown) => {
        throw explain(admin.user, error);
      });
      const { systemIdentifier } = report.stamp;
      const kept = environment === 'testing' ? keepRecord(app, systemIdentifier, saveProvisionRecord) : [];
      for (const warning of [...report.warnings, ...kept]) console.error(`warning: ${warning}`);
      if (json) return console.log(JSON.stringify(report, null, 2));
      console.log(
        `${report.database}: ${report.created ? 'created' : 'up to date'}, stamped ${environment} on server ${systemIdentifier}`,
      );
    });
}

/** The reset believes this file, not the database. A container may have no place for it, and resets nothing. */
function keepRecord(app: DatabaseAddress, systemIdentifier: string, save: typeof saveProvisionRecord): string[] {
  const { host, port, database } = app;
  try {
    save(process.cwd(), { environment: 'testing', host, port, database, systemIdentifier });
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [`no record of this server is kept here (${reason}), so that \`airlock db reset-test\` will refuse it`];
  }
}

const INVALID_PASSWORD = '28P01';
const INVALID_AUTHORIZATION = '28000';

/** Both usual causes are the data of a container, so the mends speak of that. */
function explain(user: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (error.code === INVALID_PASSWORD) return explainRefusedPassword(user, error);
  const isClosed = error.code === INVALID_AUTHORIZATION && error.message.includes('pg_hba.conf');
  return isClosed ? explainClosedServer(error) : error;
}

function explainRefusedPassword(user: string, cause: unknown): ConfigError {
  const mend = [
    'PostgreSQL keeps passwords in its data: a new one in .env changes nothing there. With Docker Compose, either',
    `  keep the data:   docker compose exec postgres psql --username=${user} --command='\\password'  (give it the one in .env)`,
    '  or start afresh: docker compose down --volumes  (deletes the data)',
  ].join('\n  ');
  const expected = 'the one that its data was made with';
  const problem = `the server refuses the password of "${user}"`;
  return new ConfigError([{ name: 'DATABASE_ADMIN_URL', problem, expected, mend }], { cause });
}

function explainClosedServer(cause: unknown): ConfigError {
  const mend = [
    'A container whose first start was killed leaves such a server, without data: docker compose down --volumes',
    'In any other, add a line to its pg_hba.conf',
  ].join('\n  ');
  const expected = 'a line in its pg_hba.conf that does';
  const problem = 'the server lets nobody in from here';
  return new ConfigError([{ name: 'DATABASE_ADMIN_URL', problem, expected, mend }], { cause });
}
