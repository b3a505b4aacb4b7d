import { Command } from 'commander';
import { withChangeOptions, withRenderOptions } from './deploy/command-options.js';
import type { CommonOptions } from './deploy/settings.js';

export function deployCommand(): Command {
  const command = new Command('deploy')
    .description('bring an image to staging or production without losing a request, or leave what served before')
    .argument('<env>', 'staging or production')
    .argument('<image>', 'the image by digest, e.g. registry.example.com/airlock@sha256:…')
    .option('--render', 'print the stack that would be deployed, and change nothing');
  return withRenderOptions(withChangeOptions(command)).action(run);
}

async function run(environment: string, image: string, options: CommonOptions & { render?: true }): Promise<void> {
  const [{ createSettings }, { parseImageReference }] = await Promise.all([
    import('./deploy/settings.js'),
    import('./deploy/image-reference.js'),
  ]);
  const settings = createSettings(environment, options);
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
