import { Command } from 'commander';
import { loadWorkspaceOnly } from './workspace-only.js';

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the API from its sources and start it anew on each edit; development only, see `make dev`')
    .addHelpText('after', '\nWaits for `airlock db serve`; `nx serve api` starts both.\n\nExample: nx serve api')
    .action(async () => {
      const { serveApi } = await loadWorkspaceOnly('serve', () => import('./serve/serve-api.js'));
      await serveApi();
    });
}
