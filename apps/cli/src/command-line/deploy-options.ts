import type { Command } from 'commander';

/** Options of deploy, promote, rollback and status. */
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
      'the public address, for the smoke suite after the rollout (default: the suite does not run), e.g. --url https://api.example.com',
    )
    .option(
      '--actor <name>',
      'the user named in the record (default: GITHUB_ACTOR, or the user of this system), e.g. --actor ana',
    )
    .option('--wait <duration>', 'how long to wait for another deploy (default: 0s, fail at once), e.g. --wait 10m')
    .option(
      '--timeout <duration>',
      'the time limit of the rollout, after which it is rolled back, and of each check before it (default: 10m), e.g. --timeout 5m',
    )
    .option(
      '--soak <duration>',
      'how long the canary must stay healthy before a replica is replaced (default: 8s, or half of a --timeout below 16s), e.g. --soak 1m',
    )
    .option('--take-over <lock>', 'replace the stale lock with this id, as airlock status and the refusal show it')
    .option('--journal <file>', 'the file to append the record to (default: .airlock/deployments.jsonl)');
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
      'a file with variables of the overlay, repeatable (default: docker/settings/ENV.env and docker/images.lock)',
      collect,
    )
    .option(
      '--migrate-timeout <duration>',
      'the time limit of the migrations (default: 15m), e.g. --migrate-timeout 1h',
    );
}

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
