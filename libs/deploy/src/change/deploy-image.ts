import { listNames, traitsOf } from '@airlock/config';
import { withDeployRun, type ChangeRequest, type DeployRun } from './deploy-run.js';
import type { Docker } from '../engine/docker.js';
import { digestOf, parseImageReference, type ImageReference } from '../engine/image-reference.js';
import type { SwarmJobOptions } from '../release/release-job.js';
import { migrateOnce, provisionOnce } from '../rollout/migration-job.js';
import { headOf, preflight } from '../rollout/preflight.js';
import { DeployError } from '../engine/deploy-error.js';
import { runCanaryProbe } from '../rollout/probe-replicas.js';
import type { DeploymentRecord, Release } from '../release/release-record.js';
import { missing, readImage } from '../registry/image-registry.js';
import { loadReleasePlan, type ReleasePlan } from '../release/release-plan.js';
import { createWatched, rollOut } from '../rollout/roll-out.js';
import { confirmBySmoke } from './smoke-run.js';
import type { Stack } from '../render/render-stack.js';
import { readAppServices } from '../release/serving.js';
import { jobTimeoutMs } from '../release/deploy-settings.js';
import { listPromotable } from '../release/promotion.js';
import { listRehearsals } from '../rollout/rehearsals.js';
import { applyStack } from '../release/stack-file.js';
import { readService } from '../engine/swarm.js';
import { watchRollout } from '../rollout/watch-rollout.js';

/** Without the soak. */
const CANARY_START_LIMIT_MS = 80_000;

/** Deploys one image to one environment, or keeps the previous release. The DeployError says which release serves. */
export function deployImage(request: ChangeRequest): Promise<DeploymentRecord> {
  return withDeployRun(request, (docker, run) => runSteps(docker, request, run));
}

async function runSteps(docker: Docker, request: ChangeRequest, run: DeployRun): Promise<void> {
  const { settings, image, progress, signal } = request;
  const { stackName, timeoutMs } = settings;
  assertPromoted(request, run);
  progress.step(`look up ${image.digest}`);
  run.commit = await readCommit(docker, image);
  assertCommit(image, run.commit);
  await noteDrift(docker, request, run);
  progress.step(`render ${stackName}`);
  const plan = (run.plan = await loadReleasePlan(docker, { ...settings, image }));
  await run.lock.assertHeld();
  const jobs: SwarmJobOptions = { stackName, stack: plan.stack, timeoutMs: jobTimeoutMs(settings), signal };
  if (run.previous === undefined) await deployDependencies(docker, request, { plan, jobs });
  await prepareSchema(docker, request, { run, plan, jobs });
  await runCanary(docker, request, { plan, jobs });
  await rollOut(docker, {
    ...{ stackName, plan, image, timeoutMs, progress, signal },
    previous: run.previous,
    assertHeld: run.lock.assertHeld,
    url: settings.url,
    confirm: () => confirmBySmoke(request, run),
  });
}

/**
 * Such an environment gets images by promotion only. One that it has served may be deployed again, as with a new
 * secret.
 */
function assertPromoted({ action, image, settings }: ChangeRequest, { releases }: DeployRun): void {
  const { environment } = settings;
  if (action !== 'deploy' || traitsOf(environment).takesBuilds) return;
  const served = releases.filter(({ record }) => record.outcome === 'succeeded');
  if (served.some(({ record }) => record.digest === image.digest)) return;
  throw new DeployError({
    text: `${environment}: ${image.digest} has never served here; expected a digest that has, or a promotion from ${listNames(listPromotable())}`,
    fix: `use: airlock promote ${listPromotable()[0]} ${environment} --digest ${image.digest}`,
  });
}

/** Without its commit an image cannot be compared with the tag of a release. */
function assertCommit(image: ImageReference, commit: string | null): void {
  if (commit !== null && /^[0-9a-f]{40}$/.test(commit)) return;
  throw new DeployError({
    text: `image: ${image.name}: the label org.opencontainers.image.revision is ${commit ? JSON.stringify(commit) : 'missing'}; expected a commit of 40 hexadecimal digits`,
    fix: 'build it from docker/api.Dockerfile with --build-arg GIT_COMMIT=$(git rev-parse HEAD)',
  });
}

/** The commit in the label of the image. Throws when the registry does not have the image. */
export async function readCommit(docker: Docker, image: ImageReference): Promise<string | null> {
  const held = await readImage(docker, image.name);
  if (held === undefined) throw missing(image);
  return held.labels['org.opencontainers.image.revision'] ?? null;
}

export async function runCanary(
  docker: Docker,
  { image, settings, progress }: ChangeRequest,
  { plan, jobs }: { plan: ReleasePlan; jobs: SwarmJobOptions },
): Promise<void> {
  progress.step('canary: start one replica that gets no traffic');
  const { timeoutMs, soakMs } = settings;
  const limitMs = Math.min(timeoutMs, CANARY_START_LIMIT_MS + soakMs);
  const { noNewPrivileges } = await runCanaryProbe(docker, { plan, image, limitMs, soakMs, jobs });
  if (!noNewPrivileges) progress.note('this engine allows processes to gain privileges; see docs/adr/0006');
}

/** Reports services that do not run the recorded digest: they were changed by hand, or a deploy was interrupted. */
async function noteDrift(
  docker: Docker,
  { settings, progress }: ChangeRequest,
  { previous }: DeployRun,
): Promise<void> {
  for (const { name, state } of await readAppServices(docker, settings.stackName, previous)) {
    if (state === undefined || state.image === previous?.record.image) continue;
    const digest = previous?.record.digest ?? 'nothing';
    progress.note(`${name} runs ${digestOf(state.image) ?? state.image}; the last release record says ${digest}`);
  }
}

/** The jobs need the networks and maybe a database of the stack. Before the first release only those are started. */
async function deployDependencies(
  docker: Docker,
  { settings, progress, signal }: ChangeRequest,
  { plan, jobs }: { plan: ReleasePlan; jobs: SwarmJobOptions },
): Promise<void> {
  const { stackName, timeoutMs } = settings;
  progress.step('start the services that the application needs');
  const dependencies = { ...plan.stack, services: await withoutApplication(docker, stackName, plan) };
  const watched = await createWatched(docker, stackName, dependencies);
  await applyStack(docker, stackName, dependencies);
  await watchRollout(docker, watched, { timeoutMs, signal, judgeBy: 'tasks', onPoll: progress.detail });
  progress.step('provision roles, database and stamp');
  await provisionOnce(docker, plan, jobs);
}

/** A service that runs without a release record is left alone: setting it to 0 replicas would be an outage. */
async function withoutApplication(docker: Docker, stackName: string, plan: ReleasePlan): Promise<Stack['services']> {
  const services = Object.entries(plan.stack.services).map(async ([name, service]) => {
    if (!plan.appServices.includes(name)) return [[name, service] as const];
    if (await readService(docker, `${stackName}_${name}`)) return [];
    return [[name, { ...service, deploy: { ...(service['deploy'] as object | undefined), replicas: 0 } }] as const];
  });
  return Object.fromEntries((await Promise.all(services)).flat());
}

async function prepareSchema(
  docker: Docker,
  { settings, image, progress, judge }: ChangeRequest,
  { run, plan, jobs }: { run: DeployRun; plan: ReleasePlan; jobs: SwarmJobOptions },
): Promise<void> {
  const { environment, actor } = settings;
  progress.step('check configuration, stamp and schema');
  const current = otherImage(image, run.previous);
  const found = await preflight(docker, { plan, current, environment, jobs });
  const { pending, status } = found;
  run.schemaHead = status ? headOf(status) : null;
  run.rehearsals = status ? listRehearsals(status) : {};
  judge?.(found);
  await run.lock.assertHeld();
  if (status?.isProvisioned === false && plan.provisionJob) {
    progress.step('provision what this version needs and the database lacks');
    await provisionOnce(docker, plan, jobs);
  }
  progress.step(pending.length === 0 ? 'no migration is pending' : `migrate: ${pending.join(', ')}`);
  const migrateJobs = { ...jobs, timeoutMs: settings.migrateTimeoutMs };
  run.schemaHead = (await migrateOnce(docker, { plan, environment, actor, jobs: migrateJobs })) ?? run.schemaHead;
  run.migrated = true;
}

function otherImage(image: ImageReference, previous: Release | undefined): ImageReference | undefined {
  if (previous === undefined || previous.record.digest === image.digest) return undefined;
  return parseImageReference(previous.record.image);
}
