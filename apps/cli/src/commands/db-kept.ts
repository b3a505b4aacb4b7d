import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function dbKeptCommand(): Command {
  return new Command('kept')
    .description('start the databases kept from failed tests and print how to connect; runs until Ctrl-C')
    .addHelpText(
      'after',
      '\nThe databases of the last failed run are kept until another run fails.\n\nExample: airlock db kept',
    )
    .action(async () => {
      const { serveKeptDatabases } = await loadWorkspaceOnly('db kept', () => import('../serve/serve-kept.js'));
      await serveKeptDatabases();
    });
}
