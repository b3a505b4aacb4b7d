import { existsSync } from 'node:fs';
import { Command } from 'commander';

interface Options {
  readonly prefix: string;
  readonly context?: string;
  readonly json?: true;
}

interface UpOptions extends Options {
  readonly domain?: string;
  readonly edge: string;
  readonly lifetime: string;
  readonly edgeTimeout: string;
  readonly file?: readonly string[];
  readonly envFile?: readonly string[];
}

export function previewCommand(): Command {
  const preview = new Command('preview').description('one small system for each pull request, which ends with it');
  withCommon(preview.command('up'))
    .description('start a preview, or bring a new image to it; with a database in memory and secrets of its own')
    .argument('<n>', 'the number of the pull request')
    .argument('<image>', 'the image by digest')
    .option('--domain <name>', 'under which pr-N is reached (default: PREVIEW_DOMAIN of docker/settings/preview.env)')
    .option('--edge <network>', 'the network of the proxy that all previews share', 'airlock-edge_edge')
    .option('--lifetime <duration>', 'when it ends by itself, e.g. --lifetime 12h', '72h')
    .option(
      '--edge-timeout <duration>',
      'how long its public address may take to answer, e.g. --edge-timeout 2m',
      '60s',
    )
    .option('--file <path>', 'a Compose file, repeatable (default: compose.yml and compose.preview.yml)', collect)
    .option('--env-file <path>', 'variables of the overlay, repeatable (default: docker/settings/preview.env)', collect)
    .action(runUp);
  withCommon(preview.command('down'))
    .description('remove a preview with everything that belongs to it')
    .argument('<n>', 'the number of the pull request')
    .action(runDown);
  withCommon(preview.command('list')).description('which previews there are and when they end').action(runList);
  withCommon(preview.command('reap'))
    .description('remove the previews that nobody ended: too old, or of a pull request that is not open')
    .option('--open <numbers>', 'the pull requests that are open (default: only age counts), e.g. --open 41,42')
    .action(runReap);
  return preview;
}

function withCommon(command: Command): Command {
  return command
    .option('--context <name>', 'the Docker context of the preview host (default: the current one)')
    .option('--prefix <name>', 'what the projects of all previews begin with', 'airlock-preview')
    .option('--json', 'print the result as JSON on stdout');
}

async function runUp(number: string, image: string, options: UpOptions): Promise<void> {
  const { docker, preview, progress } = await open(options);
  const [{ previewUp }, { parseImageReference }, { parseTime }] = await Promise.all([
    import('./deploy/preview/up.js'),
    import('./deploy/image-reference.js'),
    import('./deploy/settings.js'),
  ]);
  const defaults = ['docker/settings/preview.env', 'docker/images.lock'].filter((file) => existsSync(file));
  const started = await previewUp(docker, {
    number: preview.parseNumber(number),
    image: parseImageReference(image),
    prefix: preview.parsePrefix(options.prefix),
    domain: options.domain,
    edgeNetwork: options.edge,
    lifetimeMs: parseTime('--lifetime', options.lifetime),
    edgeTimeoutMs: parseTime('--edge-timeout', options.edgeTimeout),
    files: options.file ?? ['compose.yml', 'compose.preview.yml'],
    envFiles: options.envFile ?? defaults,
    progress,
  });
  progress.end(`${started.url} until ${started.expires.toISOString()}`);
  const { digest } = parseImageReference(started.image);
  const result = { target: 'compose', env: 'preview', digest, previousDigest: null, url: started.url, ok: true };
  print(options, { ...result, preview: started }, `${started.project} serves ${digest}`);
}

async function runDown(number: string, options: Options): Promise<void> {
  const { docker, preview } = await open(options);
  const { previewDown } = await import('./deploy/preview/down.js');
  const project = preview.projectOf(preview.parsePrefix(options.prefix), preview.parseNumber(number));
  await previewDown(docker, project);
  print(options, { project, ok: true }, `${project} is gone`);
}

async function runList(options: Options): Promise<void> {
  const { docker, preview } = await open(options);
  const previews = await preview.listPreviews(docker, preview.parsePrefix(options.prefix));
  const lines = previews.map(
    ({ number, url, expires, image }) => `${number}  ${url}  until ${expires.toISOString()}  ${image}`,
  );
  print(options, previews, lines.join('\n') || 'no preview');
}

async function runReap(options: Options & { open?: string }): Promise<void> {
  const { docker, preview } = await open(options);
  const { reap } = await import('./deploy/preview/down.js');
  const numbers = options.open?.split(',').filter((text) => text !== '');
  const isOpen = numbers && new Set(numbers.map((text) => preview.parseNumber(text)));
  const reaped = await reap(docker, { prefix: preview.parsePrefix(options.prefix), open: isOpen });
  print(
    options,
    { ok: true, reaped },
    reaped.map(({ project }) => `${project} is gone`).join('\n') || 'nothing to reap',
  );
}

async function open({ context }: Options) {
  const [{ createDocker }, preview, { createProgress }] = await Promise.all([
    import('./deploy/docker.js'),
    import('./deploy/preview/preview.js'),
    import('./deploy/progress.js'),
  ]);
  return { docker: createDocker(context), preview, progress: createProgress(process.stderr) };
}

function print({ json }: Options, result: unknown, text: string): void {
  console.log(json ? JSON.stringify(result) : text);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
