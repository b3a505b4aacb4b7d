import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly group?: string;
  readonly description?: string;
  readonly secret?: true;
}

export function newVariableCommand(): Command {
  return new Command('variable')
    .description('add an optional variable to the schema, the config, the examples and the reference')
    .argument('<name>', 'its name, e.g. SMTP_URL')
    .option('--group <heading>', 'its heading (default: that of the variables with the same first word, or Service)')
    .option('--description <sentence>', 'what it is for (default: "To be described.")')
    .option('--secret', 'its value is never printed and may be read from a file')
    .addHelpText(
      'after',
      '\nExample: airlock new variable SMTP_URL --secret --description "The server that sends mail."',
    )
    .action(run);
}

async function run(name: string, { group, description, secret: isSecret }: Options): Promise<void> {
  const { createVariable } = await loadWorkspaceOnly('new variable', () => import('@airlock/authoring'));
  const made = await createVariable({ name, group, description, isSecret });
  const [schema = '', config = ''] = made.changed;
  console.log(`changed  ${schema}  its type, and the environments that require it or have a default`);
  console.log(`changed  ${config}  its name in the config, ${made.property}`);
  console.log('\nAfter each change of the schema: airlock config example --write && airlock config docs --write');
  if (isSecret)
    console.log(
      'The specs require a test value that must not occur in any output: libs/config/src/load/secrets-canary.spec.ts',
    );
  console.log(
    `\nThese files pass ${isSecret ? 'secrets' : 'variables'} to the processes. Add ${name} where its process needs it:`,
  );
  for (const path of made.places) console.log(`  ${path}`);
}
