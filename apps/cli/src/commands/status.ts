import { Command } from 'commander';
import { withTargetOptions } from '../command-line/deploy-options.js';
import type { CommonOptions } from '@airlock/deploy';

export function statusCommand(): Command {
  const command = new Command('status')
    .description('show what an environment runs, its release records, and the owner of the deploy lock')
    .argument('<env>', 'staging or production')
    .option('--records', 'print only the deployment records, one JSON object per line, as in deployments.jsonl');
  return withTargetOptions(command).action(run);
}

async function run(environment: string, options: CommonOptions & { records?: true }): Promise<void> {
  const { createSettings, describeStatus, loadEnvironmentStatus } = await import('@airlock/deploy');
  const status = await loadEnvironmentStatus(createSettings(environment, options));
  if (options.records) for (const record of status.deployments) console.log(JSON.stringify(record));
  else console.log(options.json ? JSON.stringify(status) : describeStatus(status));
  if (!status.ok && !options.records) process.exitCode = 1;
}
