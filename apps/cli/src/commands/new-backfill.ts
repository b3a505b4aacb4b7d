import { relative } from 'node:path';
import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function newBackfillCommand(): Command {
  return new Command('backfill')
    .description('create a backfill from the template and register it')
    .argument('<name>', 'what it does, in kebab case, e.g. fill-nickname')
    .option(
      '--follows <expand>',
      'the expand that adds its columns (default: the last one), e.g. 20260304050607-add-nickname',
    )
    .action(run);
}

async function run(name: string, { follows }: { follows?: string }): Promise<void> {
  const { createBackfill } = await loadWorkspaceOnly('new backfill', () => import('@airlock/authoring'));
  const { model } = await import('@airlock/model');
  const path = createBackfill({ ...model, name, follows });
  console.log(`${relative('.', path)}\n  Write what it sets and where, then: airlock db lint`);
}
