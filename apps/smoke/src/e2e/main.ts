import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { PROGRAMS } from '@airlock/config';
import { Command } from 'commander';
import { createGet } from '../check/create-get.js';
import { assertStampWritable } from './assert-writable.js';
import { exerciseResourceLifecycle } from './resource-life.js';

const AIRLOCK = fileURLToPath(new URL(`../../../../${PROGRAMS.migrate.entry}`, import.meta.url));

await new Command('e2e')
  .description('create, read, change and delete a row over HTTP, if the stamp of the database allows it')
  .option('--url <url>', 'the address of the API (default: http://127.0.0.1:8000)', 'http://127.0.0.1:8000')
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });

/** Each run has its own users, so that leftovers of other runs have no effect. */
async function run({ url }: { url: string }): Promise<void> {
  assertStampWritable(runCommand('db', 'status', '--json'));
  const run = randomBytes(4).toString('hex');
  const tokenOf = (user: string) => runCommand('token', '--sub', `e2e_${run}_${user}`).trim();
  await exerciseResourceLifecycle(createGet(url), { own: tokenOf('own'), other: tokenOf('other') }, (step) =>
    console.log(`passed  ${step}`),
  );
}

function runCommand(...words: string[]): string {
  return execFileSync(process.execPath, [AIRLOCK, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
