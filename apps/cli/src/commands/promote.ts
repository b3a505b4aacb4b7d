import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { withChangeOptions, withRenderOptions } from '../command-line/deploy-options.js';
import type { CommonOptions } from '@airlock/deploy';

interface Options extends CommonOptions {
  readonly confirm?: string;
  readonly digest?: string;
  readonly release?: string;
  readonly fromStack?: string;
  readonly fromContext?: string;
  readonly record?: string;
  readonly rehearsedWithin?: string;
}

export function promoteCommand(): Command {
  const command = new Command('promote')
    .description('deploy to production the image that staging ran, migrated and smoke-tested; nothing is built')
    .argument('<from>', 'staging')
    .argument('<to>', 'production')
    .option('--confirm <word>', 'PROMOTE (default: ask on the terminal)')
    .option('--digest <digest>', 'a digest that staging ran (default: the last successful one), e.g. --digest sha256:…')
    .option(
      '--release <tag>',
      'the tag of the release, at the commit that the image was built from (default: the tag at that commit), e.g. --release v1.2.0',
    )
    .option(
      '--rehearsed-within <duration>',
      'require that staging has rehearsed each pending migration, on rows at most this old (default: not required), e.g. --rehearsed-within 336h',
    )
    .option('--from-context <name>', 'the Docker context of staging (default: the current one)')
    .option('--from-stack <name>', 'the stack of staging (default: airlock-staging)')
    .option(
      '--record <file>',
      'read the deployments.jsonl of staging from this file, if its swarm cannot be reached from here',
    );
  return withRenderOptions(withChangeOptions(command)).action(run);
}

async function run(from: string, to: string, options: Options): Promise<void> {
  const { assertPromotion, createSettings, parseStackName, parseTime, promoteImage, runChange } =
    await import('@airlock/deploy');
  assertPromotion({ from, to });
  const settings = createSettings(to, options);
  const confirm = options.confirm ?? (await ask(to));
  const source = {
    stackName: parseStackName('--from-stack', options.fromStack ?? `airlock-${from}`),
    context: options.fromContext,
    recordFile: options.record,
  };
  const { digest, release, rehearsedWithin } = options;
  const rehearsedWithinMs =
    rehearsedWithin === undefined ? undefined : parseTime('--rehearsed-within', rehearsedWithin);
  await runChange(settings, (context) =>
    promoteImage({ ...context, confirm, digest, release, rehearsedWithinMs, from: source }),
  );
}

async function ask(to: string): Promise<string> {
  if (!process.stdin.isTTY) return '';
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(`This changes ${to}. Type PROMOTE to continue: `);
  } finally {
    terminal.close();
  }
}
