import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function dbKeptCommand(): Command {
  return new Command('kept')
    .description('start the databases that failed tests have left, and say how to connect; until Ctrl-C')
    .addHelpText('after', '\nThe last failed run keeps them until the next one fails.\n\nExample: airlock db kept')
    .action(async () => {
      const { serveKeptDatabases } = await loadWorkspaceOnly('db kept', () => import('../serve/serve-kept.js'));
      await serveKeptDatabases();
    });
}
