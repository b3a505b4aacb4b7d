import { Command } from 'commander';

export function storageCommand(): Command {
  const storage = new Command('storage').description('the storage of uploaded files, and that of backups');
  storage
    .command('provision')
    .description('stamp an empty bucket or folder for this environment; safe to repeat')
    .option('--backups', 'stamp the storage of backups, which must be another one')
    .addHelpText(
      'after',
      '\nReads the configuration of the API, and the bucket or folder from STORAGE_URL; with --backups that of\n' +
        '`airlock db backup`, and BACKUP_URL.\n' +
        'Exit codes: 0 done, 1 unavailable, 3 refused and nothing changed, 78 configuration.\n\n' +
        'Example: airlock storage provision',
    )
    .action(runProvision);
  return storage;
}

async function runProvision({ backups }: { backups?: true }): Promise<void> {
  const { ConfigError } = await import('@airlock/config');
  const { loadConfig } = await import('@airlock/config/loading');
  const config = loadConfig({ program: backups ? 'backup' : 'api' });
  const [name, address] = backups ? ['BACKUP_URL', config.backups.storage] : ['STORAGE_URL', config.storage];
  if (!address) {
    const expected = 'the bucket of this environment, or a folder in development and testing';
    throw new ConfigError([{ name, problem: 'is not set', expected, fix: `set ${name}` }]);
  }
  const { provisionStorage } = await import('@airlock/storage');
  const { place, result } = await provisionStorage(address, { ...config, isForBackups: backups === true });
  console.log(`${place}: ${result === 'stamped' ? 'stamped' : 'has the stamp'} ${config.environment}`);
}
