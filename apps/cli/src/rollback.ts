import { Command } from 'commander';
import { withChangeOptions } from './deploy/command-options.js';
import type { CommonOptions } from './deploy/settings.js';

export function rollbackCommand(): Command {
  const command = new Command('rollback')
    .description('bring an earlier release back, its image and its configuration; migrations are not undone')
    .argument('<env>', 'staging or production')
    .option('--to <digest>', 'which one (default: the release before this), e.g. --to sha256:…');
  return withChangeOptions(command).action(run);
}

async function run(environment: string, options: CommonOptions & { to?: string }): Promise<void> {
  const [{ createSettings }, { rollback }, { runChange }] = await Promise.all([
    import('./deploy/settings.js'),
    import('./deploy/rollback.js'),
    import('./deploy/run-change.js'),
  ]);
  await runChange(createSettings(environment, options), (scene) => rollback(scene, options.to));
}
