import { withDeployRun, type ChangeRequest, type DeployRun } from './deploy-run.js';
import { readCommit, runCanary } from './deploy-image.js';
import { createDocker, type Docker } from '../engine/docker.js';
import { parseImageReference, type ImageReference } from '../engine/image-reference.js';
import type { SwarmJobOptions } from '../release/release-job.js';
import { readSchemaStatus, headOf } from '../rollout/preflight.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import type { Progress } from '../engine/progress.js';
import { findCurrent, loadReleases, type DeploymentRecord, type Release } from '../release/release-record.js';
import { RegistryUnavailable } from '../registry/image-registry.js';
import type { ReleasePlan } from '../release/release-plan.js';
import { rollOut } from '../rollout/roll-out.js';
import { readServingDigest } from '../release/serving.js';
import { jobTimeoutMs, type Settings } from '../release/deploy-settings.js';
import { confirmBySmoke } from './smoke-run.js';

/** Restores an earlier release: its image and its configuration. Migrations are not undone. */
export async function rollBackRelease(
  request: Omit<ChangeRequest, 'action' | 'image'>,
  to: string | undefined,
): Promise<DeploymentRecord> {
  const { settings, progress } = request;
  const docker = createDocker(settings.context);
  const target = await chooseTarget(docker, await loadReleases(docker, settings.stackName), { to, settings });
  const image = parseImageReference(target.record.image);
  progress.note(`roll back to ${image.digest}, released ${target.record.finishedAt} by ${target.record.actor}`);
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
  const jobs: SwarmJobOptions = { stackName, stack: plan.stack, timeoutMs: jobTimeoutMs(settings), signal };
  progress.step('check that the old image works with the schema');
  run.schemaHead = await assertSchemaIsCompatible(docker, { plan, image, jobs, previous: run.previous });
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
 * The newest release with the requested digest; without one, the newest that does not serve now. `serving` is the
 * digest that the services are set to, which an interrupted deploy did not record; undefined if the services differ.
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
      ? `rollback: ${target.record.digest} already serves; expected another digest`
      : `rollback: ${environment} has no ${to === undefined ? 'earlier successful release' : `successful release ${to}`}; expected one in its record`,
    fix: `list the releases: airlock status ${environment}`,
    exitCode: EXIT.usage,
  });
}

/** While this command waited for the lock, another deploy changed which release is the previous one. */
function changedMeanwhile({ environment }: Settings, { previous }: DeployRun): DeployError {
  return new DeployError({
    text: `rollback: another command changed ${environment} while this one waited: it now serves ${previous?.record.digest ?? 'another release'}; expected no change`,
    fix: `nothing was rolled back; check the release, then run this again: airlock status ${environment}`,
  });
}

/** An unavailable registry must not block a rollback: the nodes still have the image, and the canary proves it. */
async function readKnownCommit(
  docker: Docker,
  image: ImageReference,
  { target, progress }: { target: Release; progress: Progress },
): Promise<string | null> {
  try {
    return await readCommit(docker, image);
  } catch (error) {
    if (!(error instanceof RegistryUnavailable)) throw error;
    progress.note(
      `${error.message.split('\n')[0] ?? ''}; continuing with the commit of the record and the image that the nodes have`,
    );
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
    text: gone.map((name) => `secret ${name}: was removed; expected the version that this release used`).join('\n'),
    fix: `deploy that image with the current secrets instead: airlock deploy ${stackName.replace(/^airlock-/, '')} IMAGE@DIGEST`,
  });
}

/** Returns the newest migration of the schema. The schema is not changed. */
async function assertSchemaIsCompatible(
  docker: Docker,
  question: { plan: ReleasePlan; image: ImageReference; jobs: SwarmJobOptions; previous: Release | undefined },
): Promise<string | null> {
  const { plan, image, jobs, previous } = question;
  const status = await readSchemaStatus(docker, plan, jobs);
  if (status === undefined || status.verdict.isServing) return status ? headOf(status) : null;
  throw new DeployError({
    text: `rollback: ${image.digest} is not compatible with the schema: ${status.verdict.reasons.join('; ')}`,
    fix: `nothing was changed; stay on ${previous?.record.digest ?? 'the current release'} and fix forward: revert the commit, build, airlock deploy`,
  });
}
