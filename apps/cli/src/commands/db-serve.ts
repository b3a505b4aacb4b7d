import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function dbServeCommand(): Command {
  return new Command('serve')
    .description('make .env if there is none, start the database that it names, bring it up to date; until Ctrl-C')
    .addHelpText(
      'after',
      '\nDATABASE_SERVER=embedded starts PostgreSQL 18 from npm, with its data in .airlock/postgres;\n' +
        'external starts nothing: the server must answer.\n\nExample: nx serve database-dev',
    )
    .action(async () => {
      const { serveDatabase } = await loadWorkspaceOnly('db serve', () => import('../serve/serve-database.js'));
      await serveDatabase();
    });
}
