import { Command } from 'commander';

export function setupCommand(): Command {
  return new Command('setup')
    .description(
      'create .env from .env.example with generated passwords and free ports; an existing .env is not changed',
    )
    .action(async () => {
      const { setUpEnvFile } = await import('@airlock/config/loading');
      const { created } = setUpEnvFile(process.cwd());
      console.log(
        created
          ? 'Created .env from .env.example, with generated passwords and free ports.'
          : '.env already exists and was not changed.',
      );
    });
}
