import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly group?: string;
  readonly description?: string;
  readonly secret?: true;
  readonly required?: true;
  readonly example?: string;
  readonly programs?: string;
}

export function newVariableCommand(): Command {
  return new Command('variable')
    .description('add a variable to the schema, the config, the examples and the reference')
    .argument('<name>', 'its name, e.g. SMTP_URL')
    .option('--group <heading>', 'its heading (default: that of the variables with the same first word, or Service)')
    .option('--description <sentence>', 'what it is for (default: "To be described.")')
    .option('--required', 'deployed environments require it (default: it is optional)')
    .option('--example <value>', 'the value in examples; with --required also in development and testing')
    .option('--programs <names>', 'the programs that read it (default: api); api,worker for a job')
    .option('--secret', 'its value is never printed and may be read from a file')
    .addHelpText(
      'after',
      '\nExample: airlock new variable SMTP_URL --secret --description "The server that sends mail."',
    )
    .action(run);
}

async function run(name: string, { programs, secret, required, ...options }: Options): Promise<void> {
  const { createVariable } = await loadWorkspaceOnly('new variable', () => import('@airlock/authoring'));
  const made = await createVariable({
    name,
    ...options,
    isSecret: secret,
    isRequired: required,
    programs: programs?.split(','),
  });
  const [schema = '', config = ''] = made.changed;
  console.log(`changed  ${schema}  its type, and the environments that require it or have a default`);
  console.log(
    `changed  ${config}  its name in the config, ${made.property}, which \`AppConfig\` of @airlock/config/nest has`,
  );
  console.log('\nAfter each change of the schema: airlock config example --write && airlock config docs --write');
  console.log(
    `\nThese files pass ${secret ? 'secrets' : 'variables'} to the processes. Add ${name} where its process needs it:`,
  );
  for (const path of made.places) console.log(`  ${path}`);
  if (required) console.log('\nEach place that lacks it is named by: nx test checks -- src/manifests.spec.ts');
}
