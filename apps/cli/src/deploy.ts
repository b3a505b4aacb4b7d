import { Command } from 'commander';
import { collect, withChangeOptions, withRenderOptions } from './deploy/command-options.js';
import type { CommonOptions } from './deploy/settings.js';

interface Options extends CommonOptions {
  readonly render?: true;
  readonly target?: string;
  readonly option?: readonly string[];
}

export function deployCommand(): Command {
  const command = new Command('deploy')
    .description('bring an image to staging or production without losing a request, or leave what served before')
    .argument('<env>', 'staging or production')
    .argument('<image>', 'the image by digest, e.g. registry.example.com/airlock@sha256:…')
    .option(
      '--target <name>',
      'a hosted platform instead of Swarm: fly, railway, cloud-run or alibaba, as in docker/deploy',
    )
    .option('--option <name=value>', 'what that platform needs, repeatable, e.g. --option app=airlock-staging', collect)
    .option('--render', 'print the stack that would be deployed, and change nothing');
  return withRenderOptions(withChangeOptions(command)).action(run);
}

async function run(environment: string, image: string, options: Options): Promise<void> {
  const [{ createSettings }, { parseImageReference }] = await Promise.all([
    import('./deploy/settings.js'),
    import('./deploy/image-reference.js'),
  ]);
  const settings = createSettings(environment, options);
  if (options.target !== undefined && options.target !== 'swarm') {
    const { runHosted } = await import('./targets/run-hosted.js');
    return runHosted(settings, image, { target: options.target, option: options.option ?? [] });
  }
  const reference = parseImageReference(image);
  if (options.render) return printStack({ ...settings, image: reference });
  const [{ deploy }, { runChange }] = await Promise.all([
    import('./deploy/deploy.js'),
    import('./deploy/run-change.js'),
  ]);
  await runChange(settings, (scene) => deploy({ ...scene, action: 'deploy', image: reference }));
}

async function printStack(
  options: import('./deploy/release.js').PlanOptions & { context: string | undefined },
): Promise<void> {
  const [{ createDocker }, { loadReleasePlan }] = await Promise.all([
    import('./deploy/docker.js'),
    import('./deploy/release.js'),
  ]);
  const { stack } = await loadReleasePlan(createDocker(options.context), options);
  console.log(JSON.stringify(stack, null, 2));
}
