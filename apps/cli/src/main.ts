import { Command } from 'commander';
import { configCommand } from './config.js';
import { dbCommand } from './db.js';
import { deployCommand } from './deploy.js';
import { previewCommand } from './preview.js';
import { promoteCommand } from './promote.js';
import { rollbackCommand } from './rollback.js';
import { secretCommand } from './secret.js';
import { serveCommand } from './serve.js';
import { setupCommand } from './setup.js';
import { statusCommand } from './status.js';
import { tokenCommand } from './token.js';

const program = new Command('airlock')
  .description('keeps development, testing, preview, staging and production apart')
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

try {
  await program.parseAsync();
} catch (error) {
  if (!hasExitCode(error)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}

/** Errors of ours say which exit code they want; of them only the message is for people, never the stack. */
function hasExitCode(error: unknown): error is Error & { exitCode: number } {
  return error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number';
}
