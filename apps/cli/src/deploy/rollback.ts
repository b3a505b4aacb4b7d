import { withCourse, type ChangeRequest, type Course } from './course.js';
import { readCommit, rehearseUnseen } from './deploy.js';
import { createDocker, type Docker } from './docker.js';
import { parseImageReference, type ImageReference } from './image-reference.js';
import type { JobOptions } from './job.js';
import { askSchemaStatus } from './preflight.js';
import { DeployError, EXIT } from './problem.js';
import { findCurrent, loadReleases, type DeploymentRecord, type Release } from './record.js';
import type { ReleasePlan } from './release.js';
import { rollOut } from './roll-out.js';
import type { Settings } from './settings.js';
import { confirmBySmoke } from './smoke.js';

const JOB_TIMEOUT_MS = 120_000;

/** Brings an earlier release back: its image and the configuration it ran with. Migrations are not undone. */
export async function rollback(
  request: Omit<ChangeRequest, 'action' | 'image'>,
  to: string | undefined,
): Promise<DeploymentRecord> {
  const { settings, progress } = request;
  const releases = await loadReleases(createDocker(settings.context), settings.stackName);
  const target = findTarget(releases, to, settings);
  const image = parseImageReference(target.record.image);
  progress.note(`back to ${image.digest}, released ${target.record.finishedAt} by ${target.record.actor}`);
  return withCourse({ ...request, action: 'rollback', image }, (docker, course) =>
    follow(docker, { ...request, action: 'rollback', image }, { course, target }),
  );
}

async function follow(
  docker: Docker,
  request: ChangeRequest,
  { course, target }: { course: Course; target: Release },
): Promise<void> {
  const { settings, image, progress, signal } = request;
  const { stackName, timeoutMs } = settings;
  progress.step(`look up ${image.digest}`);
  course.commit = await readCommit(image);
  const plan = (course.plan = createPlan(target));
  await assertSecretsExist(docker, plan, stackName);
  const jobs: JobOptions = { stackName, stack: plan.stack, timeoutMs: JOB_TIMEOUT_MS, signal };
  progress.step('ask the old image about the schema');
  await assertReadsSchema(docker, { plan, image, jobs, previous: course.previous });
  await rehearseUnseen(docker, request, { plan, jobs });
  await rollOut(docker, {
    ...{ stackName, plan, image, timeoutMs, progress, signal },
    previous: course.previous,
    assertHeld: course.lock.assertHeld,
    confirm: () => confirmBySmoke(request, course),
  });
}

/** The release before the one that serves, or the newest one with the digest that was asked for. */
export function findTarget(releases: readonly Release[], to: string | undefined, settings: Settings): Release {
  const serving = findCurrent(releases)?.record.digest;
  const good = releases.filter(({ record }) => record.outcome === 'succeeded');
  const target = good.findLast(({ record: { digest } }) =>
    to === undefined ? digest !== serving : digest === to || (to.length >= 19 && digest.startsWith(to)),
  );
  if (target && target.record.digest !== serving) return target;
  throw new DeployError({
    text: target
      ? `rollback: ${target.record.digest} serves already; expected another`
      : `rollback: ${settings.environment} has no ${to === undefined ? 'earlier release' : `release ${to}`}; expected one that served`,
    mend: `see which there are: airlock status ${settings.environment}`,
    exitCode: EXIT.usage,
  });
}

function createPlan({ record, deployed, job }: Release): ReleasePlan {
  const services = Object.entries(deployed.services).filter(([, { image }]) => image === record.image);
  return {
    stack: deployed,
    appServices: services.map(([name]) => name),
    releaseJob: job,
    provisionJob: undefined,
    secretVersions: record.secretVersions,
  };
}

async function assertSecretsExist(docker: Docker, plan: ReleasePlan, stackName: string): Promise<void> {
  const names = (await docker.run(['secret', 'ls', '--format', '{{.Name}}'])).split('\n');
  const gone = Object.values(plan.secretVersions).filter((name) => !names.includes(name));
  if (gone.length === 0) return;
  throw new DeployError({
    text: gone
      .map((name) => `secret ${name}: was removed since; expected the version that this release used`)
      .join('\n'),
    mend: `deploy that image with today's secrets instead: airlock deploy ${stackName.replace(/^airlock-/, '')} IMAGE@DIGEST`,
  });
}

async function assertReadsSchema(
  docker: Docker,
  question: { plan: ReleasePlan; image: ImageReference; jobs: JobOptions; previous: Release | undefined },
): Promise<void> {
  const { plan, image, jobs, previous } = question;
  const status = await askSchemaStatus(docker, plan, jobs);
  if (status === undefined || status.verdict.isServing) return;
  throw new DeployError({
    text: `rollback: ${image.digest} cannot serve on this schema: ${status.verdict.reasons.join('; ')}`,
    mend: `stay on ${previous?.record.digest ?? 'what serves'} and mend forward: revert the commit, build, airlock deploy`,
  });
}
