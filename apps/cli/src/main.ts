import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { configCommand } from './config.js';
import { dbCommand } from './db.js';
import { DeployError } from './deploy/problem.js';
import { deployCommand } from './deploy.js';
import { previewCommand } from './preview.js';
import { promoteCommand } from './promote.js';
import { reportFailure } from './report-failure.js';
import { rollbackCommand } from './rollback.js';
import { secretCommand } from './secret.js';
import { serveCommand } from './serve.js';
import { setupCommand } from './setup.js';
import { statusCommand } from './status.js';
import { tokenCommand } from './token.js';

const EXIT_USAGE = 2;

const program = new Command('airlock')
  .description('keeps development, testing, preview, staging and production apart')
  .version(readVersion(), '--version', 'print the version')
  .addCommand(configCommand())
  .addCommand(dbCommand())
  .addCommand(deployCommand())
  .addCommand(previewCommand())
  .addCommand(promoteCommand())
  .addCommand(rollbackCommand())
  .addCommand(secretCommand())
  .addCommand(serveCommand())
  .addCommand(setupCommand())
  .addCommand(statusCommand())
  .addCommand(tokenCommand());

let wantsJson = false;
program.hook('preAction', (_program, action) => {
  wantsJson = action.opts()['json'] === true;
});

beStrict(program);
try {
  await program.parseAsync();
} catch (error) {
  if (wantsJson && error instanceof DeployError) console.log(JSON.stringify(error));
  reportFailure(error);
}

/** A word too many is a mistake: `db migrate staging` must not migrate wherever this shell happens to be. */
function beStrict(command: Command): void {
  command
    .allowExcessArguments(false)
    .showHelpAfterError(describeUsage(command))
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
  command.commands.forEach(beStrict);
}

function describeUsage(command: Command): string {
  const usage = command.createHelp().commandUsage(command);
  return `  ${usage}\n  ${usage.split(' [')[0]?.split(' <')[0]} --help   # says more`;
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
