import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { withTargetOptions } from '../command-line/deploy-options.js';
import type { CommonOptions } from '@airlock/deploy';

export function secretCommand(): Command {
  const secret = new Command('secret').description(
    'the secrets of staging and production, stored in Swarm in versions',
  );
  const put = secret
    .command('put')
    .description('store a value from standard input as the next version; the next deploy uses it')
    .argument('<env>', 'staging or production')
    .argument('<name>', 'the name of the secret in the Compose file, e.g. database_url');
  withTargetOptions(put).action(runPut);
  const list = secret
    .command('list')
    .description('list the names of all versions, never a value')
    .argument('<env>', 'staging or production');
  withTargetOptions(list).action(runList);
  return secret;
}

async function runPut(environment: string, key: string, options: CommonOptions): Promise<void> {
  const { createDocker, createSettings, putSecret } = await import('@airlock/deploy');
  const settings = createSettings(environment, options);
  const value = (await text(process.stdin)).replace(/\n$/, '');
  const put = await putSecret(createDocker(settings.context), { stack: settings.stackName, key, value });
  console.log(settings.json ? JSON.stringify({ env: settings.environment, ...put, ok: true }) : put.name);
}

async function runList(environment: string, options: CommonOptions): Promise<void> {
  const { createDocker, createSettings, listSecretVersions } = await import('@airlock/deploy');
  const settings = createSettings(environment, options);
  const versions = await listSecretVersions(createDocker(settings.context), settings.stackName);
  if (settings.json) console.log(JSON.stringify(versions));
  else for (const { name } of versions) console.log(name);
}
