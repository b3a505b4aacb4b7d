import { isDeepStrictEqual } from 'node:util';
import { programNames, PROGRAMS } from '@airlock/config';
import type { Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { runJobs, type SwarmJob, type SwarmJobOptions, type JobResult } from '../release/release-job.js';
import { DeployError } from '../engine/deploy-error.js';
import type { StagedRehearsal } from '../release/release-record.js';
import { listHttpServices, type AppServices, type ReleasePlan } from '../release/release-plan.js';

/** The output of `airlock db status --json`, run in an image. */
export interface SchemaStatus {
  readonly environment: string;
  /** Images of earlier versions do not print it. */
  readonly isProvisioned?: boolean;
  readonly serverMajor?: number;
  readonly migrations: readonly {
    readonly name: string;
    readonly phase: 'expand' | 'contract';
    readonly state: 'applied' | 'pending' | 'edited' | 'unknown';
    readonly rehearsal?: StagedRehearsal;
  }[];
  readonly verdict: { readonly state: string; readonly isServing: boolean; readonly reasons: readonly string[] };
}

/** The output of `airlock db migrate --plan --json`. */
interface MigrationPlan {
  readonly pending: readonly {
    readonly name: string;
    readonly phase: 'expand' | 'contract';
    readonly completes?: string | null;
  }[];
}

export interface Preflight {
  readonly pending: readonly string[];
  readonly status: SchemaStatus | undefined;
}

/**
 * Runs checks in the new image and in the one that serves, in the stack's networks with its secrets. Changes nothing.
 */
export async function preflight(
  docker: Docker,
  options: { plan: ReleasePlan; current: ImageReference | undefined; environment: string; jobs: SwarmJobOptions },
): Promise<Preflight> {
  const { plan, current, environment, jobs } = options;
  const results = await runJobs(docker, createCheckJobs(plan, current, environment), jobs);
  assertConfigIsComplete(plan, results);
  if (plan.releaseJob === undefined) return { pending: [], status: undefined };
  const status = parseStatus(results['status']);
  assertStamp(status, environment);
  assertImageIsCompatible(status);
  const { pending } = parseJobOutput<MigrationPlan>(results['plan'], {
    command: 'airlock db migrate --plan',
    isExpected: (output) => Array.isArray(output.pending),
  });
  if (current) assertServesAfter(parseStatus(results['current']), pending, current);
  return { pending: pending.map(({ name }) => name), status };
}

/** Checks the current schema with the image to roll back to. */
export async function readSchemaStatus(
  docker: Docker,
  plan: ReleasePlan,
  jobs: SwarmJobOptions,
): Promise<SchemaStatus | undefined> {
  if (plan.releaseJob === undefined) return undefined;
  const service = withConfigOf(plan, plan.releaseJob.service);
  const { status } = await runJobs(docker, { status: { service, command: STATUS } }, jobs);
  return parseStatus(status);
}

const STATUS = ['airlock', 'db', 'status', '--json'];

function createCheckJobs(plan: ReleasePlan, current: ImageReference | undefined, environment: string) {
  const jobs = createConfigChecks(plan);
  if (plan.releaseJob === undefined) return jobs;
  const { service } = plan.releaseJob;
  const command = ['airlock', 'db', 'migrate', '--plan', '--json', '--environment', environment];
  jobs['status'] = { service, command: STATUS };
  jobs['plan'] = { service, command };
  if (current) {
    const own = { ...withConfigOf(plan, service), image: current.name };
    jobs['current'] = { service: own, command: STATUS };
  }
  return jobs;
}

/** The configuration of each service, as its program reads it. */
export function createConfigChecks({ appServices, stack }: AppServices): Record<string, SwarmJob> {
  const services = appServices.map((name) => [name, stack.services[name] ?? {}] as const);
  const running = services.filter(([, service]) => !isOff(service));
  return Object.fromEntries(
    running.map(([name, service]) => {
      const command = ['airlock', 'config', 'check', ...programOf(service)];
      return [`config-${name}`, { service, command }];
    }),
  );
}

/** A program may be off until its own settings are there, such as the callback. */
function isOff({ deploy }: Fields): boolean {
  return (deploy as { replicas?: unknown } | undefined)?.replicas === 0;
}

/** Each program reads its own variables. The command tells which one it is; the image's own command starts the API. */
function programOf({ command }: Fields): string[] {
  const program = programNames.find((name) => isDeepStrictEqual(PROGRAMS[name].command, command));
  return program === undefined ? [] : ['--program', program];
}

/**
 * An older image may check the whole configuration in every command, so it also gets the application's configuration.
 */
export function withConfigOf(plan: AppServices, service: Fields): Fields {
  const app = plan.stack.services[listHttpServices(plan)[0] ?? ''] ?? {};
  const mounts = (['secrets', 'configs'] as const).map((kind) => [kind, joinMounts(service[kind], app[kind])] as const);
  return {
    ...service,
    environment: { ...(app['environment'] as Fields), ...(service['environment'] as Fields) },
    ...Object.fromEntries(mounts.filter(([, list]) => list.length > 0)),
  };
}

/** A variable may name a file that exists only in a mount of the application. */
function joinMounts(own: unknown, more: unknown): Mount[] {
  const mine = (own ?? []) as Mount[];
  const known = mine.map(({ source }) => source);
  return [...mine, ...((more ?? []) as Mount[]).filter(({ source }) => !known.includes(source))];
}

interface Mount {
  readonly source: string;
}

function assertConfigIsComplete(plan: ReleasePlan, results: Readonly<Record<string, JobResult>>): void {
  const problems = plan.appServices.flatMap((name) => {
    const result = results[`config-${name}`];
    return result && result.exitCode !== 0 ? [`services.${name}: ${describeJobFailure(result)}`] : [];
  });
  if (problems.length === 0) return;
  throw new DeployError({
    text: problems.join('\n'),
    fix: 'correct these variables in the overlay, or set a secret: airlock secret put',
  });
}

function parseStatus(result: JobResult | undefined): SchemaStatus {
  return parseJobOutput<SchemaStatus>(result, {
    command: 'airlock db status',
    isExpected: ({ environment, migrations, verdict }) =>
      typeof environment === 'string' && Array.isArray(migrations) && Array.isArray(verdict?.reasons),
  });
}

/** A foreign image, or one of another version, may print anything. */
export function parseJobOutput<T extends object>(
  result: JobResult | undefined,
  { command, isExpected }: { command: string; isExpected: (output: Partial<T>) => boolean },
): T {
  const output = result?.exitCode === 0 ? parseJson(result.stdout) : undefined;
  if (typeof output === 'object' && output !== null && isExpected(output)) return output as T;
  throw new DeployError({
    text: `${command}: ${result ? describeJobFailure(result) : 'did not run'}; expected its output as JSON`,
    fix: 'nothing was changed; fix the cause and deploy again',
  });
}

/** Undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function describeJobFailure({ exitCode, stdout, stderr, error }: JobResult): string {
  const said = (stderr.trim() || stdout.trim() || error).split('\n').slice(-12).join('\n    ');
  return `exit ${exitCode}: ${said}`;
}

function assertStamp(status: SchemaStatus, environment: string): void {
  if (status.environment === environment) return;
  throw new DeployError({
    text: `database: is stamped ${status.environment}; expected ${environment}`,
    fix: 'nothing was changed; check DATABASE_MIGRATION_URL of this environment',
  });
}

/** Migrations fix a schema that is behind. Nothing but a later image fits a schema that is ahead. */
function assertImageIsCompatible({ verdict }: SchemaStatus): void {
  if (verdict.state !== 'incompatible') return;
  throw new DeployError({
    text: `schema: the new image is not compatible with it: ${verdict.reasons.join('; ')}`,
    fix: 'nothing was changed; deploy an image of a later commit',
  });
}

/** The newest migration that is applied to the database, also if this image does not know it. */
export function headOf({ migrations }: SchemaStatus): string | null {
  return migrations.findLast(({ state }) => state !== 'pending')?.name ?? null;
}

/**
 * The current image must stay compatible with the migrated schema, because it serves during the update and after a
 * rollback. It is compatible with every expand, and with a contract only if it contains the expand that it completes.
 */
function assertServesAfter(current: SchemaStatus, pending: MigrationPlan['pending'], image: ImageReference): void {
  const known = new Set(current.migrations.filter(({ state }) => state !== 'unknown').map(({ name }) => name));
  const breaking = pending.filter(({ phase, completes }) => phase === 'contract' && !known.has(completes ?? ''));
  if (breaking.length === 0) return;
  throw new DeployError({
    text: breaking
      .map(
        ({ name }) =>
          `${name}: removes what the current release ${image.digest} still uses; expected the release with its expand to serve first`,
      )
      .join('\n'),
    fix: 'nothing was changed; deploy the release that contains the expand, then this one',
  });
}
