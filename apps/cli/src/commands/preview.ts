import type { PreviewChoices, Previews } from '@airlock/deploy';
import { Command } from 'commander';
import { collect } from '../command-line/deploy-options.js';

interface Options {
  readonly prefix: string;
  readonly context?: string;
  readonly json?: true;
}

type UpOptions = Options & PreviewChoices;

export function previewCommand(): Command {
  const preview = new Command('preview').description(
    'one small running system for each pull request, removed when it closes',
  );
  withCommon(preview.command('up'))
    .description('start a preview, or deploy a new image to it; it has its own secrets and a database in memory')
    .argument('<n>', 'the number of the pull request')
    .argument('<image>', 'the image by digest')
    .option('--domain <name>', 'the domain above pr-N (default: PREVIEW_DOMAIN in docker/settings/preview.env)')
    .option('--edge <network>', 'the network of the proxy that all previews share', 'airlock-edge_edge')
    .option('--lifetime <duration>', 'the time after which it is removed, e.g. --lifetime 12h', '72h')
    .option(
      '--edge-timeout <duration>',
      'the time limit for its public address to respond, e.g. --edge-timeout 2m',
      '60s',
    )
    .option('--file <path>', 'a Compose file, repeatable (default: compose.yml and compose.preview.yml)', collect)
    .option(
      '--env-file <path>',
      'a file with variables of the overlay, repeatable (default: docker/settings/preview.env)',
      collect,
    )
    .action(runUp);
  withCommon(preview.command('down'))
    .description('remove a preview with its containers, networks, volumes and secrets')
    .argument('<n>', 'the number of the pull request')
    .action(runDown);
  withCommon(preview.command('list'))
    .description('list the previews with the time at which they expire')
    .action(runList);
  withCommon(preview.command('reap'))
    .description('remove the previews past their lifetime or of a pull request that is not open')
    .option('--open <numbers>', 'the open pull requests (default: only the lifetime decides), e.g. --open 41,42')
    .action(runReap);
  return preview;
}

function withCommon(command: Command): Command {
  return command
    .option('--context <name>', 'the Docker context of the preview host (default: the current one)')
    .option('--prefix <name>', 'the prefix of the project names of all previews', 'airlock-preview')
    .option('--json', 'print the result as JSON on stdout');
}

async function runUp(number: string, image: string, options: UpOptions): Promise<void> {
  const previews = await open(options);
  const started = await previews.up(number, image, options);
  const digest = started.image.split('@')[1];
  const result = { target: 'compose', env: 'preview', digest, previousDigest: null, url: started.url, ok: true };
  print(options, { ...result, preview: started }, `${started.project} serves ${digest}`);
}

async function runDown(number: string, options: Options): Promise<void> {
  const project = await (await open(options)).down(number);
  print(options, { project, ok: true }, `removed ${project}`);
}

async function runList(options: Options): Promise<void> {
  const previews = await (await open(options)).list();
  const lines = previews.map(
    ({ number, url, expires, image }) => `${number}  ${url}  until ${expires.toISOString()}  ${image}`,
  );
  print(options, previews, lines.join('\n') || 'no preview');
}

async function runReap(options: Options & { open?: string }): Promise<void> {
  const reaped = await (await open(options)).reap(options.open);
  print(
    options,
    { ok: true, reaped },
    reaped.map(({ project }) => `removed ${project}`).join('\n') || 'nothing to reap',
  );
}

async function open(options: Options): Promise<Previews> {
  const { openPreviews } = await import('@airlock/deploy');
  return openPreviews(options);
}

function print({ json }: Options, result: unknown, text: string): void {
  console.log(json ? JSON.stringify(result) : text);
}
