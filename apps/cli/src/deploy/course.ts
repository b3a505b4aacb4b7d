import { createDocker, type Docker } from './docker.js';
import type { ImageReference } from './image-reference.js';
import { removeScratchStacks } from './job.js';
import { describeHolder, withLock, type DeployLock, type LockHolder } from './lock.js';
import { DeployError, EXIT } from './problem.js';
import type { Progress } from './progress.js';
import {
  appendRecord,
  createRecordId,
  findCurrent,
  loadReleases,
  saveRelease,
  type DeploymentRecord,
  type Release,
} from './record.js';
import type { ReleasePlan } from './release.js';
import { lockDeadlineMs, type Settings } from './settings.js';
import { fingerprint } from './stack-file.js';
import { assertSwarmManager } from './swarm.js';

export interface ChangeRequest {
  readonly action: DeploymentRecord['action'];
  readonly image: ImageReference;
  readonly settings: Settings;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** What a run learns on its way; the record is made of it, however the run ends. */
export interface Course {
  readonly lock: DeployLock;
  readonly releases: readonly Release[];
  readonly previous: Release | undefined;
  commit: string | null;
  plan: ReleasePlan | undefined;
  migrated: boolean;
  schemaHead: string | null;
  smoke: DeploymentRecord['smoke'];
}

/** Holds the lock while `follow` changes the environment, and records what came of it. */
export async function withCourse(
  request: ChangeRequest,
  follow: (docker: Docker, course: Course) => Promise<void>,
): Promise<DeploymentRecord> {
  const { settings, image, action, progress } = request;
  const docker = createDocker(settings.context);
  await assertSwarmManager(docker);
  const options = {
    stack: settings.stackName,
    owner: settings.actor,
    what: `${action} ${image.digest}`,
    deadlineMs: lockDeadlineMs(settings),
    waitMs: settings.waitMs,
    takeOver: settings.takeOver,
    onWaiting: (holder: LockHolder) => progress.step(`wait for ${describeHolder(holder)}`),
  };
  return withLock(docker, options, async (lock) => {
    const startedAt = new Date();
    await removeScratchStacks(docker, settings.stackName);
    const course = await startCourse(docker, settings.stackName, lock);
    const error = await follow(docker, course).then(
      () => undefined,
      (cause: unknown) => cause ?? new Error('unknown'),
    );
    const record = await keepRecord(docker, { request, course, startedAt, error });
    if (error !== undefined) throw error instanceof Error ? error : new Error(JSON.stringify(error));
    return record;
  });
}

async function startCourse(docker: Docker, stackName: string, lock: DeployLock): Promise<Course> {
  const releases = await loadReleases(docker, stackName);
  const unknown = { commit: null, plan: undefined, migrated: false, schemaHead: null, smoke: 'not-run' } as const;
  return { lock, releases, previous: findCurrent(releases), ...unknown };
}

async function keepRecord(
  docker: Docker,
  run: { request: ChangeRequest; course: Course; startedAt: Date; error: unknown },
): Promise<DeploymentRecord> {
  const { request, course, startedAt, error } = run;
  const { settings, image, action } = request;
  const { plan, previous, commit, migrated, schemaHead, smoke } = course;
  const record: DeploymentRecord = {
    id: createRecordId(startedAt),
    action,
    environment: settings.environment,
    stack: settings.stackName,
    image: image.name,
    digest: image.digest,
    previousDigest: previous?.record.digest ?? null,
    commit,
    actor: settings.actor,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    outcome: outcomeOf(error),
    reason: error instanceof Error ? error.message : null,
    migrated,
    schemaHead,
    smoke,
    configFingerprint: plan ? fingerprint(plan.stack, image.name) : '',
    secretVersions: plan?.secretVersions ?? {},
  };
  await appendRecord(settings.journal, record);
  if (plan) await saveRelease(docker, { record, deployed: plan.stack, job: plan.releaseJob });
  return record;
}

function outcomeOf(error: unknown): DeploymentRecord['outcome'] {
  if (error === undefined) return 'succeeded';
  return error instanceof DeployError && error.exitCode === EXIT.rolledBack ? 'rolled-back' : 'failed';
}
