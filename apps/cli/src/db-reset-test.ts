import { Command } from 'commander';

const EXIT_REFUSED = 3;

export function dbResetTestCommand(): Command {
  return new Command('reset-test')
    .description('make the test database anew from its template; twelve layers must hold, and nothing overrides one')
    .option('--explain', 'judge every layer and touch nothing')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT and .env.testing, at the root of a checkout. Each attempt adds a line to .airlock/reset-audit.jsonl.\n' +
        'Exit codes: 0 done, 2 usage, 3 refused and nothing touched.\n\nExample: ENVIRONMENT=testing airlock db reset-test --explain',
    )
    .action(async ({ explain, json }: { explain?: true; json?: true }) => {
      const { resetTestDatabase, formatReport } = await loadTestingDoor();
      const { readProcessEnvironment } = await import('@airlock/config/surroundings');
      const report = await resetTestDatabase({
        variables: readProcessEnvironment(),
        workspace: process.cwd(),
        explain: explain === true,
      });
      console.log(json ? JSON.stringify(report, null, 2) : formatReport(report));
      if (report.outcome === 'refused') process.exitCode = EXIT_REFUSED;
    });
}

/** An image has no such door: what can reset a database is not in it. */
async function loadTestingDoor() {
  try {
    return await import('@airlock/database/testing/reset');
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw cause;
    const error = new Error(
      'reset-test: is not part of this build; expected the sources of a checkout\n  run it where the tests run',
      { cause },
    );
    throw Object.assign(error, { exitCode: EXIT_REFUSED });
  }
}
