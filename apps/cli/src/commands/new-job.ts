import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

export function newJobCommand(): Command {
  return new Command('job')
    .description('create a job with its spec in libs/jobs, and add it to the list of all jobs')
    .argument('<name>', 'the name of its queue: words with dots or hyphens, e.g. orders.remind')
    .addHelpText('after', '\nExample: airlock new job orders.remind\nGuide: docs/jobs.md')
    .action(run);
}

async function run(name: string): Promise<void> {
  const { createJob } = await loadWorkspaceOnly('new job', () => import('@airlock/authoring'));
  const { created, changed } = await createJob({ name });
  for (const path of created) console.log(`wrote    ${path}`);
  for (const path of changed) console.log(`changed  ${path}`);
  console.log(`
Write what it is given and what it does, and say so in its spec; then: nx test jobs
docs/jobs.md shows how to send it, and how to give it steps or a schedule.`);
}
