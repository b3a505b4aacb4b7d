import { withCourse, type ChangeRequest, type Course } from './course.js';
import type { Docker } from './docker.js';
import { digestOf, parseImageReference, type ImageReference } from './image-reference.js';
import type { JobOptions } from './job.js';
import { migrateOnce, provisionOnce } from './migrate.js';
import { preflight } from './preflight.js';
import { rehearse } from './probe.js';
import type { DeploymentRecord, Release } from './record.js';
import { createRegistryClient, missing } from './registry/client.js';
import { loadCredentials } from './registry/credentials.js';
import { loadReleasePlan, type ReleasePlan } from './release.js';
import { createWatched, rollOut } from './roll-out.js';
import { confirmBySmoke } from './smoke.js';
import { applyStack } from './stack-file.js';
import { readService } from './swarm.js';
import { watchRollout } from './watch-rollout.js';

const JOB_TIMEOUT_MS = 120_000;
const REHEARSAL_LIMIT_MS = 90_000;

/** Brings one image to one environment, or leaves what served before. Throws a DeployError that says which. */
export function deploy(request: ChangeRequest): Promise<DeploymentRecord> {
  return withCourse(request, (docker, course) => follow(docker, request, course));
}

async function follow(docker: Docker, request: ChangeRequest, course: Course): Promise<void> {
  const { settings, image, progress, signal } = request;
  const { stackName, timeoutMs } = settings;
  progress.step(`look up ${image.digest}`);
  course.commit = await readCommit(image);
  await noteDrift(docker, request, course);
  progress.step(`render ${stackName}`);
  const plan = (course.plan = await loadReleasePlan(docker, { ...settings, image }));
  await course.lock.assertHeld();
  const jobs: JobOptions = { stackName, stack: plan.stack, timeoutMs: JOB_TIMEOUT_MS, signal };
  if (course.previous === undefined) await layFoundation(docker, request, { plan, jobs });
  await prepareSchema(docker, request, { course, plan, jobs });
  await rehearseUnseen(docker, request, { plan, jobs });
  await rollOut(docker, {
    ...{ stackName, plan, image, timeoutMs, progress, signal },
    previous: course.previous,
    assertHeld: course.lock.assertHeld,
    confirm: () => confirmBySmoke(request, course),
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

/** Says so when somebody changed the service by hand since the last release: a rollback would undo that too. */
async function noteDrift(docker: Docker, { settings, progress }: ChangeRequest, { previous }: Course): Promise<void> {
  if (previous === undefined) return;
  for (const [name, service] of Object.entries(previous.deployed.services)) {
    if (service['image'] !== previous.record.image) continue;
    const running = await readService(docker, `${settings.stackName}_${name}`);
    if (running === undefined || running.image === previous.record.image) continue;
    progress.note(
      `${name} runs ${digestOf(running.image) ?? running.image}, not ${previous.record.digest} of the record`,
    );
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
  const services = Object.entries(plan.stack.services).map(([name, service]) => {
    if (!plan.appServices.includes(name)) return [name, service] as const;
    return [name, { ...service, deploy: { ...(service['deploy'] as object | undefined), replicas: 0 } }] as const;
  });
  const foundation = { ...plan.stack, services: Object.fromEntries(services) };
  const watched = await createWatched(docker, stackName, foundation);
  await applyStack(docker, stackName, foundation);
  await watchRollout(docker, watched, { timeoutMs, signal, judgeBy: 'tasks', onLook: progress.detail });
  progress.step('provision roles, database and stamp');
  await provisionOnce(docker, plan, jobs);
}

async function prepareSchema(
  docker: Docker,
  { settings, image, progress }: ChangeRequest,
  { course, plan, jobs }: { course: Course; plan: ReleasePlan; jobs: JobOptions },
): Promise<void> {
  const { environment, actor } = settings;
  progress.step('check configuration, stamp and schema');
  const current = otherImage(image, course.previous);
  const { pending } = await preflight(docker, { plan, current, environment, jobs });
  await course.lock.assertHeld();
  progress.step(pending.length === 0 ? 'no migration is pending' : `migrate: ${pending.join(', ')}`);
  const migrateJobs = { ...jobs, timeoutMs: settings.migrateTimeoutMs };
  course.schemaHead = await migrateOnce(docker, { plan, environment, actor, jobs: migrateJobs });
  course.migrated = true;
}

function otherImage(image: ImageReference, previous: Release | undefined): ImageReference | undefined {
  if (previous === undefined || previous.record.digest === image.digest) return undefined;
  return parseImageReference(previous.record.image);
}
