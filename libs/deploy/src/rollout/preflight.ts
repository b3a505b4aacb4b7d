import type { Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { runJobs, type Job, type JobOptions, type JobResult } from '../release/release-job.js';
import { DeployError } from '../engine/deploy-error.js';
import type { ReleasePlan } from '../release/release-plan.js';

/** What an image says of the database that it would meet: the answer of `airlock db status --json`. */
export interface SchemaStatus {
  readonly environment: string;
  readonly migrations: readonly {
    readonly name: string;
    readonly phase: 'expand' | 'contract';
    readonly state: 'applied' | 'pending' | 'edited' | 'unknown';
  }[];
  readonly verdict: { readonly state: string; readonly isServing: boolean; readonly reasons: readonly string[] };
}

/** The answer of `airlock db migrate --plan --json`. */
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

/** Asks the new image, and the one that serves, in place and with the real secrets. Nothing is changed. */
export async function preflight(
  docker: Docker,
  options: { plan: ReleasePlan; current: ImageReference | undefined; environment: string; jobs: JobOptions },
): Promise<Preflight> {
  const { plan, current, environment, jobs } = options;
  const results = await runJobs(docker, createQuestions(plan, current, environment), jobs);
  assertConfigIsComplete(plan, results);
  if (plan.releaseJob === undefined) return { pending: [], status: undefined };
  const status = parseStatus(results['status']);
  assertStamp(status, environment);
  assertReads(status);
  const { pending } = parseAnswer<MigrationPlan>(results['plan'], {
    command: 'airlock db migrate --plan',
    isAnswer: (answer) => Array.isArray(answer.pending),
  });
  if (current) assertServesAfter(parseStatus(results['current']), pending, current);
  return { pending: pending.map(({ name }) => name), status };
}

/** What an image that is to be rolled back to says of the schema as it is. */
export async function askSchemaStatus(
  docker: Docker,
  plan: ReleasePlan,
  jobs: JobOptions,
): Promise<SchemaStatus | undefined> {
  if (plan.releaseJob === undefined) return undefined;
  const service = withConfigOf(plan, plan.releaseJob.service);
  const { status } = await runJobs(docker, { status: { service, command: STATUS } }, jobs);
  return parseStatus(status);
}

const STATUS = ['airlock', 'db', 'status', '--json'];

function createQuestions(plan: ReleasePlan, current: ImageReference | undefined, environment: string) {
  const questions: Record<string, Job> = {};
  for (const name of plan.appServices) {
    questions[`config-${name}`] = { service: plan.stack.services[name] ?? {}, command: ['airlock', 'config', 'check'] };
  }
  if (plan.releaseJob === undefined) return questions;
  const { service } = plan.releaseJob;
  const command = ['airlock', 'db', 'migrate', '--plan', '--json', '--environment', environment];
  questions['status'] = { service, command: STATUS };
  questions['plan'] = { service, command };
  if (current) {
    const own = { ...withConfigOf(plan, service), image: current.name };
    questions['current'] = { service: own, command: STATUS };
  }
  return questions;
}

/** An older image may check the whole configuration whatever it is asked: it is given what the application has, too. */
export function withConfigOf(
  plan: Pick<ReleasePlan, 'appServices'> & { readonly stack: Pick<ReleasePlan['stack'], 'services'> },
  service: Fields,
): Fields {
  const app = plan.stack.services[plan.appServices[0] ?? ''] ?? {};
  const mounts = (['secrets', 'configs'] as const).map((kind) => [kind, joinMounts(service[kind], app[kind])] as const);
  return {
    ...service,
    environment: { ...(app['environment'] as Fields), ...(service['environment'] as Fields) },
    ...Object.fromEntries(mounts.filter(([, list]) => list.length > 0)),
  };
}

/** A variable may name a file that only a mount of the application brings. */
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
    mend: 'set what is missing in the overlay, or: airlock secret put',
  });
}

function parseStatus(result: JobResult | undefined): SchemaStatus {
  return parseAnswer<SchemaStatus>(result, {
    command: 'airlock db status',
    isAnswer: ({ environment, migrations, verdict }) =>
      typeof environment === 'string' && Array.isArray(migrations) && Array.isArray(verdict?.reasons),
  });
}

/** An image that is not ours, or of another time, may say anything. */
export function parseAnswer<T extends object>(
  result: JobResult | undefined,
  { command, isAnswer }: { command: string; isAnswer: (answer: Partial<T>) => boolean },
): T {
  const answer = result?.exitCode === 0 ? parseJson(result.stdout) : undefined;
  if (typeof answer === 'object' && answer !== null && isAnswer(answer)) return answer as T;
  throw new DeployError({
    text: `${command}: ${result ? describeJobFailure(result) : 'was not asked'}; expected its answer as JSON`,
    mend: 'nothing was changed; mend it and deploy again',
  });
}

/** Undefined where it is none. */
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
    mend: 'check DATABASE_MIGRATION_URL of this environment: nothing was changed',
  });
}

/** Behind is what the migrations mend; an image that the schema has left behind is mended by none. */
function assertReads({ verdict }: SchemaStatus): void {
  if (verdict.state !== 'incompatible') return;
  throw new DeployError({
    text: `schema: the new image cannot serve on it: ${verdict.reasons.join('; ')}`,
    mend: 'nothing was changed; deploy an image of a later commit',
  });
}

/** The newest migration that the database has, whoever knows it. */
export function headOf({ migrations }: SchemaStatus): string | null {
  return migrations.findLast(({ state }) => state !== 'pending')?.name ?? null;
}

/**
 * The image that serves must go on serving on the schema that the migrations will leave, for it does so during the whole
 * update and after a rollback. It lives with every expand; with a contract only if it knows the expand which that completes.
 */
function assertServesAfter(current: SchemaStatus, pending: MigrationPlan['pending'], image: ImageReference): void {
  const known = new Set(current.migrations.filter(({ state }) => state !== 'unknown').map(({ name }) => name));
  const fatal = pending.filter(({ phase, completes }) => phase === 'contract' && !known.has(completes ?? ''));
  if (fatal.length === 0) return;
  throw new DeployError({
    text: fatal
      .map(
        ({ name }) =>
          `${name}: takes away what ${image.digest} still uses; expected the release of its expand to serve first`,
      )
      .join('\n'),
    mend: 'deploy the release that brought the expand, then this one',
  });
}
