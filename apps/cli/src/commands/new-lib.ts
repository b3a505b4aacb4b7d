import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function newLibCommand(): Command {
  return new Command('lib')
    .description('create a library with an entry point, a spec and its own layer, and add it to the lockfile')
    .argument('<name>', 'its name in kebab case, e.g. mailer')
    .addHelpText('after', '\nExample: airlock new lib mailer')
    .action(run);
}

async function run(name: string): Promise<void> {
  const { createLibrary } = await loadWorkspaceOnly('new lib', () => import('@airlock/authoring'));
  const { created, changed } = await createLibrary({ name });
  for (const path of created) console.log(`wrote    ${path}`);
  for (const path of changed) console.log(`changed  ${path}`);
  console.log(`
In libs/${name}/README.md, describe its purpose and what it must never do; add a line to the map in README.md.
In package.json of each application that imports it, add "@airlock/${name}": "0.1.0"; then: npm install
It may import @airlock/config; to allow more, extend its layer in eslint.config.mjs.`);
}
