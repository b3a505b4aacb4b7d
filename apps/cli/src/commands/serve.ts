import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the API from its sources and restart it after each edit; development only, see `make dev`')
    .option(
      '--check',
      'start nothing; exit with 1 and name the process if the API is already served or its port is in use',
    )
    .addHelpText('after', '\nWaits for `airlock db serve`; `nx serve api` starts both.\n\nExample: nx serve api')
    .action(async ({ check }: { check?: true }) => {
      if (check) {
        const { refuseSecond } = await loadWorkspaceOnly('serve', () => import('../serve/refuse-second.js'));
        return refuseSecond();
      }
      const { serveApi } = await loadWorkspaceOnly('serve', () => import('../serve/serve-api.js'));
      await serveApi();
    });
}
