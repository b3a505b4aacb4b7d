import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly singular?: string;
  readonly from?: string;
}

export function newResourceCommand(): Command {
  return new Command('resource')
    .description('copy a resource of the API under another name, with its table, and register it')
    .argument('<name>', 'its plural in kebab case, e.g. customer-invoices')
    .option('--singular <name>', 'where it cannot be told from the plural, e.g. person for people')
    .option('--from <name>', 'the resource to copy (default: the one that the smoke suite reads)')
    .addHelpText('after', '\nExample: airlock new resource notes\nGuide: docs/adding-a-resource.md')
    .action(run);
}

async function run(name: string, { singular, from }: Options): Promise<void> {
  const { createResource } = await loadWorkspaceOnly('new resource', () => import('@airlock/authoring'));
  const { probedResource } = await import('@airlock/model/probed-resource');
  const made = await createResource({ name, singular, from: from ?? probedResource.plural });
  const { created, changed, left } = made;
  const width = Math.max(...created.map((path) => path.length));
  for (const path of created) console.log(`wrote    ${path.padEnd(width)}  ${describeFile(path)}`.trimEnd());
  for (const path of changed) console.log(`changed  ${path}`);
  for (const path of left) console.log(`left out ${path}: a later change of the table that was copied`);
  console.log('\nChange the copies, then write what is derived from them:');
  for (const command of ['airlock db lint', 'airlock db drift --template --write', 'nx run api:documents'])
    console.log(`  ${command}`);
}

/** What to change in each file, by its role. Modules and services usually stay as they are. */
const TO_CHANGE: readonly (readonly [RegExp, string])[] = [
  [/\.schemas\.ts$/, 'the fields that callers see and send'],
  [/\.repository\.ts$/, 'the columns, and which may be sorted and filtered by'],
  [/\.constraints\.ts$/, 'what callers are told when a row breaks a constraint'],
  [/\.controller\.ts$/, 'the routes'],
  [/\.entity\.ts$/, 'the columns, checks and indexes, as the migration makes them'],
  [/\/migrations\//, 'the table'],
];

function describeFile(path: string): string {
  return TO_CHANGE.find(([pattern]) => pattern.test(path))?.[1] ?? '';
}
