import { Command } from 'commander';

export function setupCommand(): Command {
  return new Command('setup')
    .description(
      'make .env from .env.example with generated passwords and free ports; one that is there stays as it is',
    )
    .action(async () => {
      const { setUpEnvFile } = await import('@airlock/config/loading');
      const { created } = setUpEnvFile(process.cwd());
      console.log(
        created
          ? 'Made .env from .env.example, with generated passwords and free ports.'
          : '.env is there and stays as it is.',
      );
    });
}
