import { relative } from 'node:path';
import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly contract?: string;
  readonly alone?: true;
}

export function newMigrationCommand(): Command {
  return new Command('migration')
    .description('create a migration from the template and register it')
    .argument('<name>', 'what it does, in kebab case, e.g. add-nickname')
    .option('--contract <expand>', 'create a contract that completes this expand, e.g. 20260304050607-add-nickname')
    .option(
      '--alone',
      'for one statement that is safe to repeat, outside a transaction, such as CREATE INDEX CONCURRENTLY',
    )
    .action(run);
}

async function run(name: string, { contract, alone }: Options): Promise<void> {
  const { createMigration } = await loadWorkspaceOnly('new migration', () => import('@airlock/authoring'));
  const { model } = await import('@airlock/model');
  const path = createMigration({ ...model, name, completes: contract, isAlone: alone ?? false });
  console.log(`${relative('.', path)}\n  Write its statements, then: airlock db lint`);
}
