import { existsSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { ENVIRONMENTS, readProcessEnvironment } from '@airlock/config';
import { DeployError, EXIT } from './problem.js';
import { parseDuration } from './watch-rollout.js';

/** Where Swarm is deployed to; development, testing and previews live on Compose. */
export type DeployedEnvironment = 'staging' | 'production';

export interface Settings {
  readonly environment: DeployedEnvironment;
  readonly stackName: string;
  readonly files: readonly string[];
  readonly envFiles: readonly string[];
  readonly context: string | undefined;
  readonly url: string | undefined;
  readonly actor: string;
  readonly waitMs: number;
  readonly timeoutMs: number;
  readonly migrateTimeoutMs: number;
  readonly takeOver: string | undefined;
  readonly journal: string;
  readonly json: boolean;
}

/** What the commands share, as commander hands it over. */
export interface CommonOptions {
  readonly stack?: string;
  readonly file?: readonly string[];
  readonly envFile?: readonly string[];
  readonly context?: string;
  readonly url?: string;
  readonly actor?: string;
  readonly wait?: string;
  readonly timeout?: string;
  readonly migrateTimeout?: string;
  readonly takeOver?: string;
  readonly journal?: string;
  readonly json?: true;
}

export function createSettings(environment: string, options: CommonOptions): Settings {
  const known = parseDeployedEnvironment(environment);
  return {
    environment: known,
    stackName: options.stack ?? `airlock-${known}`,
    files: options.file ?? ['compose.yml', `compose.${known}.yml`, 'docker/swarm.yml'],
    envFiles:
      options.envFile ?? [`docker/settings/${known}.env`, 'docker/images.lock'].filter((file) => existsSync(file)),
    context: options.context,
    url: options.url,
    actor: options.actor ?? readActor(),
    waitMs: parseTime('--wait', options.wait ?? '0s'),
    timeoutMs: parseTime('--timeout', options.timeout ?? '10m'),
    migrateTimeoutMs: parseTime('--migrate-timeout', options.migrateTimeout ?? '15m'),
    takeOver: options.takeOver,
    journal: options.journal ?? '.airlock/deployments.jsonl',
    json: options.json ?? false,
  };
}

export function parseDeployedEnvironment(text: string): DeployedEnvironment {
  if (text === 'staging' || text === 'production') return text;
  const isOther = (ENVIRONMENTS as readonly string[]).includes(text);
  throw new DeployError({
    text: `ENV: ${JSON.stringify(text)} is ${isOther ? 'not deployed to a swarm' : 'no environment'}; expected staging or production`,
    mend: text === 'preview' ? 'use: airlock preview up N IMAGE' : 'use: airlock deploy staging IMAGE@sha256:…',
    exitCode: EXIT.usage,
  });
}

/** How long the lock can rightly be held: every phase to its own limit. */
export function lockDeadlineMs({ timeoutMs, migrateTimeoutMs }: Settings): number {
  return 2 * timeoutMs + migrateTimeoutMs + 120_000;
}

export function parseTime(flag: string, text: string): number {
  if (/^\d+(?:ms|s|m|h)$/.test(text)) return parseDuration(text);
  throw new DeployError({
    text: `${flag}: ${JSON.stringify(text)} is no duration; expected one such as 30s or 10m`,
    mend: 'see: airlock deploy --help',
    exitCode: EXIT.usage,
  });
}

/** In a pipeline the person or the application that started it; on a machine its user. */
function readActor(): string {
  return readProcessEnvironment()['GITHUB_ACTOR'] ?? `${userInfo().username}@${hostname()}`;
}
