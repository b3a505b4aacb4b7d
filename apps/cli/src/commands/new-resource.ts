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
    .option('--singular <name>', 'its singular, if it cannot be derived from the plural, e.g. person for people')
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
  for (const path of left) console.log(`left out ${path}: it changes the copied table later`);
  console.log('\nChange the copies, then update the generated files:');
  for (const command of ['airlock db lint', 'airlock db drift --template --write', 'nx run api:documents'])
    console.log(`  ${command}`);
}

/** The part to change in each file. Modules and services usually need no change. */
const TO_CHANGE: readonly (readonly [RegExp, string])[] = [
  [/\.schemas\.ts$/, 'the fields that callers see and send'],
  [/\.repository\.ts$/, 'the columns, and those that clients may sort and filter by'],
  [/\.constraints\.ts$/, 'the error that callers get when a row violates a constraint'],
  [/\.controller\.ts$/, 'the routes'],
  [/\.entity\.ts$/, 'the columns, checks and indexes, as in the migration'],
  [/\.seeds\.ts$/, 'the sample rows'],
  [/\/migrations\//, 'the table'],
];

function describeFile(path: string): string {
  return TO_CHANGE.find(([pattern]) => pattern.test(path))?.[1] ?? '';
}
