import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  type Environment,
  environmentsWithout,
  isEnvironment,
  listNames,
  readProcessEnvironment,
  readUserName,
  traitsOf,
} from '@airlock/config';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import { parseTime } from '../engine/duration.js';

export interface Settings {
  readonly environment: Environment;
  readonly stackName: string;
  readonly files: readonly string[];
  readonly envFiles: readonly string[];
  readonly context: string | undefined;
  readonly url: string | undefined;
  readonly actor: string;
  readonly waitMs: number;
  readonly timeoutMs: number;
  readonly migrateTimeoutMs: number;
  /** How long the canary must stay healthy. */
  readonly soakMs: number;
  readonly takeOver: string | undefined;
  readonly journal: string;
  readonly json: boolean;
}

/** Options that the commands share, as commander parses them. */
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
  readonly soak?: string;
  readonly takeOver?: string;
  readonly journal?: string;
  readonly json?: true;
}

export function createSettings(environment: string, options: CommonOptions): Settings {
  const known = parseLastingEnvironment(environment);
  const timeoutMs = parseTime('--timeout', options.timeout ?? '10m');
  return {
    environment: known,
    stackName: parseStackName('--stack', options.stack ?? `airlock-${known}`),
    files: options.file ?? ['compose.yml', `compose.${known}.yml`, 'docker/swarm.yml'],
    envFiles:
      options.envFile ?? [`docker/settings/${known}.env`, 'docker/images.lock'].filter((file) => existsSync(file)),
    context: options.context,
    url: options.url === undefined ? undefined : parseUrl(options.url),
    actor: parseActor(options.actor ?? readActor()),
    waitMs: parseTime('--wait', options.wait ?? '0s'),
    timeoutMs,
    migrateTimeoutMs: parseTime('--migrate-timeout', options.migrateTimeout ?? '15m'),
    soakMs: parseSoak(options.soak, timeoutMs),
    takeOver: options.takeOver,
    journal: options.journal ?? '.airlock/deployments.jsonl',
    json: options.json ?? false,
  };
}

/** Long enough to detect an image that exits soon after it became healthy. */
const DEFAULT_SOAK_MS = 8_000;

/** @throws DeployError for a soak that no canary could pass */
function parseSoak(text: string | undefined, timeoutMs: number): number {
  if (text === undefined) return Math.min(DEFAULT_SOAK_MS, timeoutMs / 2);
  const soakMs = parseTime('--soak', text);
  if (soakMs < timeoutMs) return soakMs;
  throw new DeployError({
    text: `--soak: ${JSON.stringify(text)} is not shorter than --timeout, ${timeoutMs / 1_000} s; expected time to start the canary too`,
    fix: 'use a longer --timeout or a shorter --soak',
    exitCode: EXIT.usage,
  });
}

/** Only lasting environments are deployed to a swarm; development, tests and previews run on Compose. */
export function parseLastingEnvironment(text: string): Environment {
  const isKnown = isEnvironment(text);
  const { isDisposable, runsLocally } = traitsOf(text);
  if (isKnown && !isDisposable) return text;
  const lasting = listNames(environmentsWithout('isDisposable'));
  throw new DeployError({
    text: `ENV: ${JSON.stringify(text)} is ${isKnown ? 'not deployed to a swarm' : 'not an environment'}; expected ${lasting}`,
    fix: isKnown && !runsLocally ? 'use: airlock preview --help' : `use ${lasting} instead of ${JSON.stringify(text)}`,
    exitCode: EXIT.usage,
  });
}

/** The prefix of every name in the stack. Swarm allows 63 characters, of which a release record needs 28. */
export function parseStackName(flag: string, text: string): string {
  if (/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(text) && text.length <= LONGEST_STACK) return text;
  throw new DeployError({
    text: `${flag}: ${JSON.stringify(text)} is not a valid stack name; expected at most ${LONGEST_STACK} characters of a-z, 0-9 and single hyphens, starting with a letter`,
    fix: 'for example: --stack airlock-staging',
    exitCode: EXIT.usage,
  });
}

const LONGEST_STACK = 35;

/**
 * The longest time that a deploy can hold the lock: four times the rollout's limit (dependencies, the update, Swarm's
 * rollback, ours), the limits of the migrations and of the canary, and ten minutes for the preflight and the smoke suite.
 */
export function lockDeadlineMs({ timeoutMs, migrateTimeoutMs, soakMs }: Settings): number {
  return 4 * timeoutMs + migrateTimeoutMs + soakMs + 600_000;
}

/** A preflight job of an image ends within seconds, or it hangs. */
export function jobTimeoutMs({ timeoutMs }: Settings): number {
  return Math.min(timeoutMs, 120_000);
}

/** Checked before anything is changed: with a wrong address the smoke suite would fail and roll back a good release. */
function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return text;
  throw new DeployError({
    text: `--url: ${JSON.stringify(text.replace(/\/\/[^/@]*@/, '//'))} is not a valid address; expected an http or https URL without user and password`,
    fix: 'for example: --url https://api.example.com',
    exitCode: EXIT.usage,
  });
}

/** Other deployers see it in their terminals. */
function parseActor(text: string): string {
  if (/^[\p{L}\p{N}\p{P}\p{S} ]{1,100}$/u.test(text)) return text;
  throw new DeployError({
    text: `--actor: ${JSON.stringify(text)} is not a valid name; expected 1 to 100 printable characters`,
    fix: 'for example: --actor ana',
    exitCode: EXIT.usage,
  });
}

/** In a pipeline the GitHub user or app that started it; on a machine its user. */
function readActor(): string {
  return readProcessEnvironment()['GITHUB_ACTOR'] ?? `${readUserName()}@${hostname()}`;
}
