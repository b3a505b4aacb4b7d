import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { configCommand } from './commands/config.js';
import { dbCommand } from './commands/db.js';
import { deployCommand } from './commands/deploy.js';
import { jobsCommand } from './commands/jobs.js';
import { newCommand } from './commands/new.js';
import { outboundCommand } from './commands/outbound-serve.js';
import { previewCommand } from './commands/preview.js';
import { promoteCommand } from './commands/promote.js';
import { reportFailure } from './command-line/report-failure.js';
import { rollbackCommand } from './commands/rollback.js';
import { secretCommand } from './commands/secret.js';
import { serveCommand } from './commands/serve.js';
import { setupCommand } from './commands/setup.js';
import { statusCommand } from './commands/status.js';
import { storageCommand } from './commands/storage-provision.js';
import { tokenCommand } from './commands/token.js';

const EXIT_USAGE = 2;

const program = new Command('airlock')
  .description('configures, migrates and deploys development, testing, preview, staging and production')
  .version(readVersion(), '--version', 'print the version')
  .addCommand(configCommand())
  .addCommand(dbCommand())
  .addCommand(deployCommand())
  .addCommand(jobsCommand())
  .addCommand(newCommand())
  .addCommand(outboundCommand())
  .addCommand(previewCommand())
  .addCommand(promoteCommand())
  .addCommand(rollbackCommand())
  .addCommand(secretCommand())
  .addCommand(serveCommand())
  .addCommand(setupCommand())
  .addCommand(statusCommand())
  .addCommand(storageCommand())
  .addCommand(tokenCommand());

let wantsJson = false;
program.hook('preAction', (_program, action) => {
  wantsJson = action.opts()['json'] === true;
});

explainUsageErrors(program);
try {
  await program.parseAsync();
} catch (error) {
  if (wantsJson) await printProblem(error);
  reportFailure(error);
}

/** Imported lazily: a command that succeeds does not need it. */
async function printProblem(error: unknown): Promise<void> {
  const { DeployError } = await import('@airlock/deploy');
  if (error instanceof DeployError) console.log(JSON.stringify(error));
}

/** Rejects extra arguments too: `db migrate staging` must not migrate the environment of this shell. */
function explainUsageErrors(command: Command): void {
  command
    .showHelpAfterError(describeUsage(command))
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
  command.commands.forEach(explainUsageErrors);
}

function describeUsage(command: Command): string {
  const usage = command.createHelp().commandUsage(command);
  return `  ${usage}\n  ${usage.split(' [')[0]?.split(' <')[0]} --help   # details`;
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
