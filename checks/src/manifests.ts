/** The variables that each manifest passes to each program, read from the files themselves. */
import { join } from 'node:path';
import {
  type Environment,
  environmentsWith,
  environmentsWithout,
  type ProgramName,
  programNames,
  type Program,
  PROGRAMS,
  traitsOf,
} from '@airlock/config';
import { metaOf, variableNames } from '@airlock/config/loading';
import { createRailwayContext, type RailwayProgram } from 'railway/iac';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { readText, root } from './repository.js';

export interface Manifest {
  /** The file to change. */
  readonly place: string;
  readonly environment: Environment;
  /** Several on a platform that passes the same variables to all programs. */
  readonly programs: readonly ProgramName[];
  /** Variables by name; a secret file counts under the name of its variable. */
  readonly given: readonly string[];
  /** Secrets that a variable of the service names but that are not mounted. */
  readonly unmounted: readonly string[];
  /** Whether a value that the operator sets elsewhere reaches the program only if the file names it. */
  readonly mustPassOn: boolean;
}

interface Service {
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
  readonly extends?: { readonly file: string; readonly service: string };
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
}

const STACK_PROGRAMS = programNames.filter((name) => listPlatforms(name).includes('compose'));

/** A program has no use where one of the variables that it requires has no meaning. */
function isUsed(program: ProgramName, environment: Environment): boolean {
  const needs: readonly string[] = PROGRAMS[program].needs;
  return variableNames.every(
    (name) => !needs.includes(name) || (metaOf(name).only ?? [environment]).includes(environment),
  );
}

/** Such as a worker, which is not started where the API runs the jobs. */
export function isStarted(program: ProgramName, environment: Environment): boolean {
  const { unless = [] }: Program = PROGRAMS[program];
  return !unless.some((permission) => traitsOf(environment)[permission]);
}

function listPlatforms(name: ProgramName): readonly string[] {
  return PROGRAMS[name].runsOn;
}

export function readCompose(path: string): ComposeFile {
  return parseYaml(readText(path), { merge: true, logLevel: 'silent' }) as ComposeFile;
}

export async function loadManifests(): Promise<Manifest[]> {
  const stacks = [...environmentsWith('isServedFromSources'), ...environmentsWithout('runsLocally')];
  const lasting = environmentsWithout('isDisposable');
  const hosted = await Promise.all(lasting.map(loadHosted));
  return [
    ...stacks.flatMap((environment) =>
      STACK_PROGRAMS.filter((name) => isStarted(name, environment) && isUsed(name, environment)).map((name) =>
        readStack(environment, name),
      ),
    ),
    ...hosted.flat(),
  ];
}

/** compose.yml, the file that the overlay extends, and the overlay itself; a later file overrides an earlier one. */
function readStack(environment: Environment, program: ProgramName): Manifest {
  const place = traitsOf(environment).isServedFromSources ? 'compose.override.yml' : `compose.${environment}.yml`;
  const overlay = readCompose(place);
  const { extends: base, ...own } = overlay.services[program] ?? {};
  const layers = [
    readCompose('compose.yml').services[program],
    base && readCompose(base.file).services[base.service],
    own,
  ];
  const variables = Object.fromEntries(layers.flatMap((layer) => Object.entries(layer?.environment ?? {})));
  const mounted = layers.flatMap((layer) => layer?.secrets ?? []);
  const files = Object.values(variables).flatMap((value) => /^\/run\/secrets\/(\w+)$/.exec(String(value))?.[1] ?? []);
  const isDeclared = (name: string) => name in (overlay.secrets ?? {}) && isMade(name, environment);
  return {
    ...{ place, environment, programs: [program], mustPassOn: true },
    given: Object.keys(variables).map((name) => name.replace(/_FILE$/, '')),
    unmounted: files.filter((name) => !mounted.includes(name) || !isDeclared(name)),
  };
}

/** A swarm needs each secret to be stored; a preview generates its secrets. */
function isMade(secret: string, environment: Environment): boolean {
  if (!traitsOf(environment).isDisposable) return secret in (readCompose('docker/swarm.yml').secrets ?? {});
  return readText('libs/deploy/src/preview/preview-secrets.ts').includes(`${secret}:`);
}

async function loadHosted(environment: Environment): Promise<Manifest[]> {
  const own = (place: string, programs: readonly ProgramName[], given: readonly string[]): Manifest => ({
    ...{ place: `docker/deploy/${place}`, environment, programs, unmounted: [], mustPassOn: false },
    given: [...new Set([...given, 'ENVIRONMENT'])],
  });
  return [
    own('alibaba/api.yaml', ['api'], readContainer('alibaba/api.yaml')),
    own('alibaba/migrate.yaml', ['migrate'], readContainer('alibaba/migrate.yaml')),
    own('alibaba/callback.yaml', ['callback'], readContainer('alibaba/callback.yaml')),
    own('cloud-run/callback.yaml', ['callback'], readContainer('cloud-run/callback.yaml')),
    own('fly/callback.toml', ['callback'], readFly('callback.toml', 'airlock-staging-callback')),
    ...(isStarted('outbound', environment)
      ? [own('alibaba/outbound.yaml', ['outbound'], readContainer('alibaba/outbound.yaml'))]
      : []),
    own('alibaba/worker.yaml', ['worker'], readContainer('alibaba/worker.yaml')),
    own('cloud-run/service.yaml', ['api'], readContainer('cloud-run/service.yaml')),
    own('cloud-run/worker.yaml', ['worker'], readContainer('cloud-run/worker.yaml')),
    own('cloud-run/job.yaml', ['migrate'], readContainer('cloud-run/job.yaml')),
    own('fly/README.md', ['api', 'worker', 'migrate'], readFly('fly.toml', 'airlock-staging')),
    own('railway/.railway/railway.ts', ['api', 'migrate'], await readRailway(environment, 'api')),
    own('railway/.railway/railway.ts', ['worker'], await readRailway(environment, 'worker')),
    own('railway/.railway/railway.ts', ['callback'], await readRailway(environment, 'callback')),
  ];
}

function readContainer(path: string): string[] {
  return [...readText(`docker/deploy/${path}`).matchAll(/\bname: ([A-Z][A-Z_]+)\b/g)].map(([, name = '']) => name);
}

/** `flyctl secrets set` passes these to every machine of the app, including the one that migrates. */
function readFly(config: string, app: string): string[] {
  const { env } = parseToml(readText(`docker/deploy/fly/${config}`)) as { env: Record<string, string> };
  const line = new RegExp(`^flyctl secrets set --app ${app} (?:.*\\\\\n)*.*$`, 'm');
  const command = line.exec(readText('docker/deploy/fly/README.md'))?.[0] ?? '';
  return [...Object.keys(env), ...[...command.matchAll(/\b([A-Z_]+)=/g)].map(([, name = '']) => name)];
}

async function readRailway(environment: Environment, service: string): Promise<string[]> {
  const path = join(root, 'docker/deploy/railway/.railway/railway.ts');
  const names = { API_IMAGE: 'ghcr.io/example/api', IMAGE_DIGEST: 'sha256:0', CALLBACK_REPLICAS: '1' };
  // eslint-disable-next-line no-restricted-properties -- what a deploy passes to the file
  const before = { ...process.env };
  // eslint-disable-next-line no-restricted-properties -- as above
  Object.assign(process.env, names);
  try {
    const { default: program } = (await import(path)) as { default: RailwayProgram };
    const { resources = [] } = await program(createRailwayContext({ environment }), (name, rest) => ({
      name,
      ...rest,
    }));
    const found = resources.find((resource) => 'name' in resource && resource.name === service);
    return Object.keys((found as unknown as { variables: object }).variables);
  } finally {
    for (const name of Object.keys(names)) {
      // eslint-disable-next-line no-restricted-properties -- as it was
      if (before[name] === undefined) delete process.env[name];
    }
  }
}
