import { listNames, traitsOf } from '@airlock/config';
import { withCourse, type ChangeRequest, type Course } from './course.js';
import type { Docker } from '../engine/docker.js';
import { digestOf, parseImageReference, type ImageReference } from '../engine/image-reference.js';
import type { JobOptions } from '../release/release-job.js';
import { migrateOnce, provisionOnce } from '../rollout/migration-job.js';
import { headOf, preflight } from '../rollout/preflight.js';
import { DeployError } from '../engine/deploy-error.js';
import { rehearse } from '../rollout/probe-replicas.js';
import type { DeploymentRecord, Release } from '../release/release-record.js';
import { createRegistryClient, missing } from '../registry/registry-client.js';
import { loadCredentials } from '../registry/registry-credentials.js';
import { loadReleasePlan, type ReleasePlan } from '../release/release-plan.js';
import { createWatched, rollOut } from '../rollout/roll-out.js';
import { confirmBySmoke } from './smoke-run.js';
import type { Stack } from '../render/render-stack.js';
import { readAppServices } from '../release/serving.js';
import { jobTimeoutMs } from '../release/deploy-settings.js';
import { listPromotable } from '../release/promotion.js';
import { applyStack } from '../release/stack-file.js';
import { readService } from '../engine/swarm.js';
import { watchRollout } from '../rollout/watch-rollout.js';

const REHEARSAL_LIMIT_MS = 90_000;

/** Brings one image to one environment, or leaves what served before. Throws a DeployError that says which. */
export function deployImage(request: ChangeRequest): Promise<DeploymentRecord> {
  return withCourse(request, (docker, course) => follow(docker, request, course));
}

async function follow(docker: Docker, request: ChangeRequest, course: Course): Promise<void> {
  const { settings, image, progress, signal } = request;
  const { stackName, timeoutMs } = settings;
  assertPromoted(request, course);
  progress.step(`look up ${image.digest}`);
  course.commit = await readCommit(image);
  assertCommit(image, course.commit);
  await noteDrift(docker, request, course);
  progress.step(`render ${stackName}`);
  const plan = (course.plan = await loadReleasePlan(docker, { ...settings, image }));
  await course.lock.assertHeld();
  const jobs: JobOptions = { stackName, stack: plan.stack, timeoutMs: jobTimeoutMs(settings), signal };
  if (course.previous === undefined) await layFoundation(docker, request, { plan, jobs });
  await prepareSchema(docker, request, { course, plan, jobs });
  await rehearseUnseen(docker, request, { plan, jobs });
  await rollOut(docker, {
    ...{ stackName, plan, image, timeoutMs, progress, signal },
    previous: course.previous,
    assertHeld: course.lock.assertHeld,
    url: settings.url,
    confirm: () => confirmBySmoke(request, course),
  });
}

/** Where builds are not taken, nothing comes but by promotion; what has served there may be deployed again, as with a new secret. */
function assertPromoted({ action, image, settings }: ChangeRequest, { releases }: Course): void {
  const { environment } = settings;
  if (action !== 'deploy' || traitsOf(environment).takesBuilds) return;
  const served = releases.filter(({ record }) => record.outcome === 'succeeded');
  if (served.some(({ record }) => record.digest === image.digest)) return;
  throw new DeployError({
    text: `${environment}: never served ${image.digest}; expected one that it has served, or a promotion of what ${listNames(listPromotable())} ran`,
    mend: `use: airlock promote ${listPromotable()[0]} ${environment} --digest ${image.digest}`,
  });
}

/** An image of nobody knows which commit could not be told from another, nor compared with a release's tag. */
function assertCommit(image: ImageReference, commit: string | null): void {
  if (commit !== null && /^[0-9a-f]{40}$/.test(commit)) return;
  throw new DeployError({
    text: `image: ${image.name} says it was built from ${commit || 'nothing'}; expected a commit in its label org.opencontainers.image.revision`,
    mend: 'build it from docker/api.Dockerfile with --build-arg GIT_COMMIT=$(git rev-parse HEAD)',
  });
}

/** The commit that the image says it was built from; throws where the registry does not hold it. */
export async function readCommit(image: ImageReference): Promise<string | null> {
  const registry = createRegistryClient(image.registry, await loadCredentials(image.registry));
  if ((await registry.readManifest(image.repository, image.digest)) === undefined) throw missing(image);
  return (await registry.readLabels(image))['org.opencontainers.image.revision'] ?? null;
}

export async function rehearseUnseen(
  docker: Docker,
  { image, settings, progress }: ChangeRequest,
  { plan, jobs }: { plan: ReleasePlan; jobs: JobOptions },
): Promise<void> {
  progress.step('rehearse with one replica that gets no traffic');
  const limitMs = Math.min(settings.timeoutMs, REHEARSAL_LIMIT_MS);
  const { noNewPrivileges } = await rehearse(docker, { plan, image, limitMs, jobs });
  if (!noNewPrivileges) progress.note('this engine lets processes gain privileges; see docs/adr/0006');
}

/** Says so when what runs is not what was recorded: somebody changed it by hand, or a deploy was cut off. */
async function noteDrift(docker: Docker, { settings, progress }: ChangeRequest, { previous }: Course): Promise<void> {
  for (const { name, state } of await readAppServices(docker, settings.stackName, previous)) {
    if (state === undefined || state.image === previous?.record.image) continue;
    const digest = previous?.record.digest ?? 'nothing';
    progress.note(`${name} runs ${digestOf(state.image) ?? state.image}, not ${digest} of the record`);
  }
}

/** The jobs need the networks, and perhaps a database of the stack: before the first release all but the application starts. */
async function layFoundation(
  docker: Docker,
  { settings, progress, signal }: ChangeRequest,
  { plan, jobs }: { plan: ReleasePlan; jobs: JobOptions },
): Promise<void> {
  const { stackName, timeoutMs } = settings;
  progress.step('start what the application stands on');
  const foundation = { ...plan.stack, services: await withoutApplication(docker, stackName, plan) };
  const watched = await createWatched(docker, stackName, foundation);
  await applyStack(docker, stackName, foundation);
  await watchRollout(docker, watched, { timeoutMs, signal, judgeBy: 'tasks', onLook: progress.detail });
  progress.step('provision roles, database and stamp');
  await provisionOnce(docker, plan, jobs);
}

/** What runs already, though no release says so, is left alone: no replicas would be an outage. */
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
  { settings, image, progress }: ChangeRequest,
  { course, plan, jobs }: { course: Course; plan: ReleasePlan; jobs: JobOptions },
): Promise<void> {
  const { environment, actor } = settings;
  progress.step('check configuration, stamp and schema');
  const current = otherImage(image, course.previous);
  const { pending, status } = await preflight(docker, { plan, current, environment, jobs });
  course.schemaHead = status ? headOf(status) : null;
  await course.lock.assertHeld();
  progress.step(pending.length === 0 ? 'no migration is pending' : `migrate: ${pending.join(', ')}`);
  const migrateJobs = { ...jobs, timeoutMs: settings.migrateTimeoutMs };
  course.schemaHead = (await migrateOnce(docker, { plan, environment, actor, jobs: migrateJobs })) ?? course.schemaHead;
  course.migrated = true;
}

function otherImage(image: ImageReference, previous: Release | undefined): ImageReference | undefined {
  if (previous === undefined || previous.record.digest === image.digest) return undefined;
  return parseImageReference(previous.record.image);
}
