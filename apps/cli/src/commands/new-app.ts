import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function newAppCommand(): Command {
  return new Command('app')
    .description('create a program beside the API, with a spec, and add it to the lockfile')
    .argument('<name>', 'its name in kebab case, e.g. reports')
    .addHelpText('after', '\nExample: airlock new app reports')
    .action(run);
}

async function run(name: string): Promise<void> {
  const { createProgram } = await loadWorkspaceOnly('new app', () => import('@airlock/authoring'));
  const { created, changed } = await createProgram({ name });
  for (const path of created) console.log(`wrote    ${path}`);
  for (const path of changed) console.log(`changed  ${path}`);
  console.log(`
In apps/${name}/README.md, describe what it does; add a line to the map in README.md. Run it: nx start ${name}
To ship it, add it to libs/config/src/programs/programs.ts, and its name to \`programs\` of each variable that it reads in
libs/config/src/variables/schema.ts. Then \`nx test checks\` names the Compose files that must start it and the Dockerfile.`);
}
