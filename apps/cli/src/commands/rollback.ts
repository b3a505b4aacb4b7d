import { Command } from 'commander';
import { withChangeOptions } from '../command-line/deploy-options.js';
import type { CommonOptions } from '@airlock/deploy';

export function rollbackCommand(): Command {
  const command = new Command('rollback')
    .description('restore an earlier release, its image and its configuration; migrations are not undone')
    .argument('<env>', 'staging or production')
    .option('--to <digest>', 'the digest of the release (default: the previous release), e.g. --to sha256:…');
  return withChangeOptions(command).action(run);
}

async function run(environment: string, options: CommonOptions & { to?: string }): Promise<void> {
  const { createSettings, rollBackRelease, runChange } = await import('@airlock/deploy');
  await runChange(createSettings(environment, options), (context) => rollBackRelease(context, options.to));
}
