import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

const EXIT_REFUSED = 3;

export function dbResetTestCommand(): Command {
  return new Command('reset-test')
    .description('recreate the test database from its template; twelve guards must pass, and no option overrides one')
    .option('--explain', 'check every guard and change nothing')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT and .env.testing, at the root of a checkout. Each attempt is recorded in .airlock/reset-audit.jsonl.\n' +
        'Exit codes: 0 done, 2 usage, 3 refused and nothing changed.\n\nExample: ENVIRONMENT=testing airlock db reset-test --explain',
    )
    .action(async ({ explain, json }: { explain?: true; json?: true }) => {
      const { resetTestDatabase, formatReport } = await loadWorkspaceOnly(
        'reset-test',
        () => import('@airlock/database-dev/testing/reset'),
        EXIT_REFUSED,
      );
      const [{ readProcessEnvironment }, { model }] = await Promise.all([
        import('@airlock/config'),
        import('@airlock/model'),
      ]);
      const report = await resetTestDatabase({
        variables: readProcessEnvironment(),
        workspace: process.cwd(),
        model,
        explain: explain === true,
      });
      console.log(json ? JSON.stringify(report, null, 2) : formatReport(report));
      if (report.outcome === 'refused') process.exitCode = EXIT_REFUSED;
    });
}
