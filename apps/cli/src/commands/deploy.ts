import { Command } from 'commander';
import { collect, withChangeOptions, withRenderOptions } from '../command-line/deploy-options.js';
import type { CommonOptions } from '@airlock/deploy';

interface Options extends CommonOptions {
  readonly render?: true;
  readonly target?: string;
  readonly option?: readonly string[];
}

export function deployCommand(): Command {
  const command = new Command('deploy')
    .description(
      'deploy an image to staging or production without losing requests; a failed deploy keeps or restores the previous release',
    )
    .argument('<env>', 'staging or production')
    .argument('<image>', 'the image by digest, e.g. registry.example.com/airlock@sha256:…')
    .option(
      '--target <name>',
      'a hosted platform instead of Swarm: fly, railway, cloud-run or alibaba, as in docker/deploy',
    )
    .option(
      '--option <name=value>',
      'an option of that platform, repeatable, e.g. --option app=airlock-staging',
      collect,
    )
    .option('--render', 'print the stack that would be deployed, and change nothing');
  return withRenderOptions(withChangeOptions(command)).action(run);
}

async function run(environment: string, image: string, options: Options): Promise<void> {
  const { createSettings, deployImage, loadStack, parseImageReference, runChange, runHosted } =
    await import('@airlock/deploy');
  const settings = createSettings(environment, options);
  if (options.target !== undefined && options.target !== 'swarm')
    return runHosted(settings, image, { target: options.target, option: options.option ?? [] });
  if (options.render) return console.log(JSON.stringify(await loadStack(settings, image), null, 2));
  const reference = parseImageReference(image);
  await runChange(settings, (context) => deployImage({ ...context, action: 'deploy', image: reference }));
}
