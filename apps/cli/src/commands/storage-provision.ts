import { Command } from 'commander';

export function storageCommand(): Command {
  const storage = new Command('storage').description('the storage of uploaded files');
  storage
    .command('provision')
    .description('stamp an empty bucket or folder for this environment; safe to repeat')
    .addHelpText(
      'after',
      '\nReads the configuration of the API, and the bucket or folder from STORAGE_URL.\n' +
        'Exit codes: 0 done, 1 unavailable, 3 refused and nothing changed, 78 configuration.\n\n' +
        'Example: airlock storage provision',
    )
    .action(runProvision);
  return storage;
}

async function runProvision(): Promise<void> {
  const { ConfigError } = await import('@airlock/config');
  const { loadConfig } = await import('@airlock/config/loading');
  const config = loadConfig({ program: 'api' });
  if (!config.storage) {
    const expected = 'the bucket of this environment, or a folder in development and testing';
    throw new ConfigError([{ name: 'STORAGE_URL', problem: 'is not set', expected, fix: 'set STORAGE_URL' }]);
  }
  const { provisionStorage } = await import('@airlock/storage');
  const { place, result } = await provisionStorage(config.storage, config);
  console.log(`${place}: ${result === 'stamped' ? 'stamped' : 'has the stamp'} ${config.environment}`);
}
