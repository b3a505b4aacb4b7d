import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function dbServeCommand(): Command {
  return new Command('serve')
    .description('create .env if it is missing, start its database and migrate it; runs until Ctrl-C')
    .addHelpText(
      'after',
      '\nDATABASE_SERVER=embedded starts PostgreSQL 18 from npm, with its data in .airlock/postgres;\n' +
        'external starts nothing: the server must already run.\n\nExample: nx serve database-dev',
    )
    .action(async () => {
      const { serveDatabase } = await loadWorkspaceOnly('db serve', () => import('../serve/serve-database.js'));
      await serveDatabase();
    });
}
