import { withDeployRun, type ChangeRequest, type DeployRun } from './deploy-run.js';
import { readCommit, runCanary } from './deploy-image.js';
import { createDocker, type Docker } from '../engine/docker.js';
import { parseImageReference, type ImageReference } from '../engine/image-reference.js';
import type { JobOptions } from '../release/release-job.js';
import { askSchemaStatus, headOf } from '../rollout/preflight.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import type { Progress } from '../engine/progress.js';
import { findCurrent, loadReleases, type DeploymentRecord, type Release } from '../release/release-record.js';
import { RegistryUnavailable } from '../registry/image-registry.js';
import type { ReleasePlan } from '../release/release-plan.js';
import { rollOut } from '../rollout/roll-out.js';
import { readServingDigest } from '../release/serving.js';
import { jobTimeoutMs, type Settings } from '../release/deploy-settings.js';
import { confirmBySmoke } from './smoke-run.js';

/** Brings an earlier release back: its image and the configuration it ran with. Migrations are not undone. */
export async function rollBackRelease(
  request: Omit<ChangeRequest, 'action' | 'image'>,
  to: string | undefined,
): Promise<DeploymentRecord> {
  const { settings, progress } = request;
  const docker = createDocker(settings.context);
  const target = await chooseTarget(docker, await loadReleases(docker, settings.stackName), { to, settings });
  const image = parseImageReference(target.record.image);
  progress.note(`back to ${image.digest}, released ${target.record.finishedAt} by ${target.record.actor}`);
  const full = { ...request, action: 'rollback', image } as const;
  return withDeployRun(full, async (_docker, run) => {
    const now = await chooseTarget(docker, run.releases, { to, settings });
    if (now.record.digest !== image.digest) throw changedMeanwhile(settings, run);
    await runSteps(docker, full, { run, target: now });
  });
}

async function runSteps(
  docker: Docker,
  request: ChangeRequest,
  { run, target }: { run: DeployRun; target: Release },
): Promise<void> {
  const { settings, image, progress, signal } = request;
  const { stackName, timeoutMs } = settings;
  progress.step(`look up ${image.digest}`);
  run.commit = await readKnownCommit(docker, image, { target, progress });
  const plan = (run.plan = createPlan(target));
  await assertSecretsExist(docker, plan, stackName);
  const jobs: JobOptions = { stackName, stack: plan.stack, timeoutMs: jobTimeoutMs(settings), signal };
  progress.step('ask the old image about the schema');
  run.schemaHead = await assertReadsSchema(docker, { plan, image, jobs, previous: run.previous });
  await runCanary(docker, request, { plan, jobs });
  await rollOut(docker, {
    ...{ stackName, plan, image, timeoutMs, progress, signal },
    previous: run.previous,
    assertHeld: run.lock.assertHeld,
    url: settings.url,
    confirm: () => confirmBySmoke(request, run),
  });
}

async function chooseTarget(
  docker: Docker,
  releases: readonly Release[],
  { to, settings }: { to: string | undefined; settings: Settings },
): Promise<Release> {
  const serving = await readServingDigest(docker, settings.stackName, findCurrent(releases));
  return findTarget(releases, { to, serving, environment: settings.environment });
}

/**
 * The newest release with the digest that was asked for; without one the newest that is not what serves. `serving` is
 * what the services are set to, which a deploy that was cut off did not write down; undefined where they disagree.
 */
export function findTarget(
  releases: readonly Release[],
  asked: { to: string | undefined; serving: string | undefined; environment: string },
): Release {
  const { to, serving, environment } = asked;
  const good = releases.filter(({ record }) => record.outcome === 'succeeded');
  const target = good.findLast(({ record: { digest } }) =>
    to === undefined ? digest !== serving : digest === to || (to.length >= 19 && digest.startsWith(to)),
  );
  if (target && target.record.digest !== serving) return target;
  throw new DeployError({
    text: target
      ? `rollback: ${target.record.digest} serves already; expected another`
      : `rollback: ${environment} has no ${to === undefined ? 'earlier release' : `release ${to}`}; expected one that served`,
    mend: `see which there are: airlock status ${environment}`,
    exitCode: EXIT.usage,
  });
}

/** A deploy that was waited for has changed what «the one before» means. */
function changedMeanwhile({ environment }: Settings, { previous }: DeployRun): DeployError {
  return new DeployError({
    text: `rollback: ${environment} was changed meanwhile and serves ${previous?.record.digest ?? 'something else'}; expected what served when this was asked for`,
    mend: `look, then ask again: airlock status ${environment}`,
  });
}

/** A registry that is away must not keep an environment on a bad release: the nodes hold the image, as the rehearsal shows. */
async function readKnownCommit(
  docker: Docker,
  image: ImageReference,
  { target, progress }: { target: Release; progress: Progress },
): Promise<string | null> {
  try {
    return await readCommit(docker, image);
  } catch (error) {
    if (!(error instanceof RegistryUnavailable)) throw error;
    progress.note(`${error.message.split('\n')[0] ?? ''}; going by the record, and by what the nodes hold`);
    return target.record.commit;
  }
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

/** Answers the head of the schema, which stays as it is. */
async function assertReadsSchema(
  docker: Docker,
  question: { plan: ReleasePlan; image: ImageReference; jobs: JobOptions; previous: Release | undefined },
): Promise<string | null> {
  const { plan, image, jobs, previous } = question;
  const status = await askSchemaStatus(docker, plan, jobs);
  if (status === undefined || status.verdict.isServing) return status ? headOf(status) : null;
  throw new DeployError({
    text: `rollback: ${image.digest} cannot serve on this schema: ${status.verdict.reasons.join('; ')}`,
    mend: `stay on ${previous?.record.digest ?? 'what serves'} and mend forward: revert the commit, build, airlock deploy`,
  });
}
