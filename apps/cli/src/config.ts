import { Command } from 'commander';

export function configCommand(): Command {
  const config = new Command('config').description('check and show the configuration');
  config
    .command('print')
    .description('print every value with its source; secrets as [redacted]')
    .action(async () => {
      const { loadConfig } = await import('@airlock/config');
      console.log(JSON.stringify(loadConfig(), null, 2));
    });
  return config;
}
