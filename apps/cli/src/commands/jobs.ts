import { Command } from 'commander';
import type { Environment } from '@airlock/config';
import { createEnvironmentOption } from '../command-line/environment-option.js';

interface Options {
  readonly environment?: Environment;
  readonly json?: true;
}

const ENVIRONMENT = 'refuse to run in any other environment, e.g. --environment staging';

export function jobsCommand(): Command {
  return new Command('jobs')
    .description('show the queues of jobs, and what becomes of dead letters')
    .addCommand(
      new Command('list')
        .description('show the jobs that have not ended, and the dead letters with their ids')
        .addOption(createEnvironmentOption(ENVIRONMENT))
        .option('--json', 'print the list as JSON')
        .action(list),
    )
    .addCommand(
      new Command('retry')
        .description('give dead letters back to their queues, all of them or none')
        .argument('<id...>', 'their ids, as the list shows them')
        .addOption(createEnvironmentOption(ENVIRONMENT))
        .option('--json', 'print the report as JSON')
        .action((ids: string[], options: Options) => change('retried', ids, options)),
    )
    .addCommand(
      new Command('discard')
        .description('remove dead letters, all of them or none; their jobs never run')
        .argument('<id...>', 'their ids, as the list shows them')
        .addOption(createEnvironmentOption(ENVIRONMENT))
        .option('--json', 'print the report as JSON')
        .action((ids: string[], options: Options) => change('discarded', ids, options)),
    );
}

async function load({ environment }: Options) {
  const [{ loadConfig }, deadLetters] = await Promise.all([
    import('@airlock/config/loading'),
    import('@airlock/service/dead-letters'),
  ]);
  return { ...deadLetters, target: { config: loadConfig({ program: 'worker' }), expected: environment } };
}

async function list(options: Options): Promise<void> {
  const { listJobs, target } = await load(options);
  const found = await listJobs(target);
  if (options.json) return console.log(JSON.stringify(found, null, 2));
  for (const { job, ready, waiting, running, oldest } of found.queues) {
    const since = oldest ? `, the oldest since ${oldest.toISOString()}` : '';
    console.log(`${job}: ${ready} ready${since}; ${waiting} waiting, ${running} running`);
  }
  for (const { id, job, failedAt, attempts, reason } of found.deadLetters) {
    const why = Object.entries(reason ?? {}).map(([name, value]) => `${name} ${String(value)}`);
    console.log(`dead  ${id}  ${job}  ${failedAt.toISOString()} after ${attempts} runs: ${why.join(', ')}`);
  }
  if (found.queues.length + found.deadLetters.length === 0) console.log('no jobs and no dead letters');
}

async function change(what: 'retried' | 'discarded', ids: string[], options: Options): Promise<void> {
  const { retryDeadLetters, discardDeadLetters, target } = await load(options);
  const count = await (what === 'retried' ? retryDeadLetters : discardDeadLetters)(target, ids);
  console.log(options.json ? JSON.stringify({ [what]: count }) : `${count} ${what}`);
}
