import { createDocker, type Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { removeScratchStacks } from '../release/release-job.js';
import { appendRecord, assertWritable } from '../release/deployment-journal.js';
import { describeHolder, withLock, type DeployLock, type DeployLockHolder } from '../release/deploy-lock.js';
import { DeployError, EXIT, toDeployError } from '../engine/deploy-error.js';
import type { Progress } from '../engine/progress.js';
import {
  createRecordId,
  findCurrent,
  loadReleases,
  saveRelease,
  type DeploymentRecord,
  type Release,
} from '../release/release-record.js';
import type { Preflight } from '../rollout/preflight.js';
import type { ReleasePlan } from '../release/release-plan.js';
import { lockDeadlineMs, type Settings } from '../release/deploy-settings.js';
import { fingerprint, removeSurplus } from '../release/stack-file.js';
import { assertSwarmManager } from '../engine/swarm.js';

export interface ChangeRequest {
  readonly action: DeploymentRecord['action'];
  readonly image: ImageReference;
  readonly settings: Settings;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  /** Refuses, after the checks and before any change, what the schema here would get. */
  readonly judge?: (found: Preflight) => void;
  /** Work that follows a successful rollout, such as setting tags. Runs while the lock is still held. */
  readonly finish?: () => Promise<void>;
}

/** Facts that a run collects. The record is made from them, however the run ends. */
export interface DeployRun {
  readonly lock: DeployLock;
  readonly releases: readonly Release[];
  readonly previous: Release | undefined;
  commit: string | null;
  plan: ReleasePlan | undefined;
  migrated: boolean;
  schemaHead: string | null;
  smoke: DeploymentRecord['smoke'];
  rehearsals: NonNullable<DeploymentRecord['rehearsals']>;
}

/** Holds the lock while `runSteps` changes the environment, then records the outcome. Throws only DeployErrors. */
export async function withDeployRun(
  request: ChangeRequest,
  runSteps: (docker: Docker, run: DeployRun) => Promise<void>,
): Promise<DeploymentRecord> {
  const { settings, action } = request;
  const docker = createDocker(settings.context);
  await assertWritable(settings.journal);
  await assertSwarmManager(docker);
  return withLock(docker, createLockOptions(request), async (lock) => {
    const startedAt = new Date();
    await removeScratchStacks(docker, settings.stackName);
    const run = await startRun(docker, settings.stackName, lock);
    const error = await runSteps(docker, run).then(
      () => undefined,
      (cause: unknown) => toDeployError(cause, action),
    );
    const record = createRecord({ request, run, startedAt, error });
    const recordErrors = await keepRecord(docker, { settings, run, record });
    if (error !== undefined) throw withRecord(error, record, { request, recordErrors });
    await finish(docker, request, { run, record, recordErrors });
    return record;
  });
}

function createLockOptions({ settings, action, image, progress, signal }: ChangeRequest) {
  return {
    stack: settings.stackName,
    owner: settings.actor,
    what: `${action} ${image.digest}`,
    deadlineMs: lockDeadlineMs(settings),
    waitMs: settings.waitMs,
    takeOver: settings.takeOver,
    signal,
    onWaiting: (holder: DeployLockHolder) => progress.step(`wait for ${describeHolder(holder)}`),
    onLeft: progress.note,
  };
}

async function startRun(docker: Docker, stackName: string, lock: DeployLock): Promise<DeployRun> {
  const releases = await loadReleases(docker, stackName);
  const unknown = {
    commit: null,
    plan: undefined,
    migrated: false,
    schemaHead: null,
    smoke: 'not-run',
    rehearsals: {},
  } as const;
  return { lock, releases, previous: findCurrent(releases), ...unknown };
}

function createRecord(outcome: {
  request: ChangeRequest;
  run: DeployRun;
  startedAt: Date;
  error: DeployError | undefined;
}): DeploymentRecord {
  const { request, run, startedAt, error } = outcome;
  const { settings, image, action } = request;
  const { plan, previous, commit, migrated, schemaHead, smoke, rehearsals } = run;
  return {
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
    outcome: error === undefined ? 'succeeded' : error.exitCode === EXIT.rolledBack ? 'rolled-back' : 'failed',
    reason: error?.message ?? null,
    migrated,
    schemaHead,
    smoke,
    rehearsals,
    configFingerprint: plan ? fingerprint(plan.stack, image.name) : '',
    secretVersions: plan?.secretVersions ?? {},
  };
}

/**
 * Saves the record in the swarm and in the journal. Returns the errors: a failure to record does not undo a release.
 */
async function keepRecord(
  docker: Docker,
  { settings, run, record }: { settings: Settings; run: DeployRun; record: DeploymentRecord },
): Promise<string[]> {
  const { plan, releases } = run;
  const inSwarm = plan && saveRelease(docker, { record, deployed: plan.stack, job: plan.releaseJob }, releases);
  const kept = await Promise.allSettled([inSwarm, appendRecord(settings.journal, record)]);
  return kept.flatMap((one) => (one.status === 'rejected' ? [toDeployError(one.reason, 'record').message] : []));
}

function withRecord(
  error: DeployError,
  record: DeploymentRecord,
  { request, recordErrors }: { request: ChangeRequest; recordErrors: readonly string[] },
): DeployError {
  recordErrors.forEach(request.progress.note);
  error.result = { digest: record.digest, previousDigest: record.previousDigest, record };
  return error;
}

/** Does the work that follows a rollout. The release serves, so a failure here is reported as EXIT.unfinished. */
async function finish(
  docker: Docker,
  request: ChangeRequest,
  { run, record, recordErrors }: { run: DeployRun; record: DeploymentRecord; recordErrors: readonly string[] },
): Promise<void> {
  const { settings, progress } = request;
  const { stack } = run.plan ?? {};
  const done = await Promise.allSettled([
    stack && removeSurplus(docker, settings.stackName, { stack, note: progress.note }),
    request.finish?.(),
  ]);
  const failed = done.flatMap((one) =>
    one.status === 'rejected' ? [toDeployError(one.reason, 'finish').message] : [],
  );
  const undone = [...recordErrors, ...failed];
  if (undone.length === 0) return;
  const error = new DeployError({
    text: `${record.environment} serves ${record.digest}, but these steps after the rollout failed:\n${undone.join('\n')}`,
    fix: `fix the cause, then run ${record.action} with the same digest again: the running release is not changed, and the missing steps are done`,
    exitCode: EXIT.unfinished,
  });
  throw withRecord(error, record, { request, recordErrors: [] });
}
