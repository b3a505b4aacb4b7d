import type { Command } from 'commander';

/** What deploy, promote, rollback and status have in common. */
export function withTargetOptions(command: Command): Command {
  return command
    .option(
      '--context <name>',
      'the Docker context of a swarm manager (default: the current one), e.g. --context production',
    )
    .option('--stack <name>', 'the name of the stack (default: airlock-ENV), e.g. --stack airlock-staging')
    .option('--json', 'print the result as JSON on stdout; progress stays on stderr');
}

export function withChangeOptions(command: Command): Command {
  return withTargetOptions(command)
    .option(
      '--url <url>',
      'where the smoke suite looks afterwards (default: it does not run), e.g. --url https://api.example.com',
    )
    .option('--actor <name>', 'who asked, for the record (default: GITHUB_ACTOR or the user), e.g. --actor ana')
    .option('--wait <duration>', 'how long to wait for another deploy (default: 0s, refuse), e.g. --wait 10m')
    .option(
      '--timeout <duration>',
      'how long the rollout may take before it is rolled back, and a question before it at most (default: 10m), e.g. --timeout 5m',
    )
    .option('--take-over <lock>', 'replace the lock that a dead deployer left, by the id it is reported with')
    .option('--journal <file>', 'where the record is appended, too (default: .airlock/deployments.jsonl)');
}

export function withRenderOptions(command: Command): Command {
  return command
    .option(
      '--file <path>',
      'a Compose file, repeatable (default: compose.yml, compose.ENV.yml and docker/swarm.yml)',
      collect,
    )
    .option(
      '--env-file <path>',
      'variables of the overlay, repeatable (default: docker/settings/ENV.env and docker/images.lock)',
      collect,
    )
    .option(
      '--migrate-timeout <duration>',
      'how long the migrations may take (default: 15m), e.g. --migrate-timeout 1h',
    );
}

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
