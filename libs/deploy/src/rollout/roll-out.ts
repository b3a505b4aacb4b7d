import type { Docker } from '../engine/docker.js';
import type { Fields } from '../engine/model-fields.js';
import type { ImageReference } from '../engine/image-reference.js';
import { DeployError, EXIT, toDeployError } from '../engine/deploy-error.js';
import { probeReplicas, type ReplicaState } from './probe-replicas.js';
import type { Progress } from '../engine/progress.js';
import { findPublicProblem } from '../engine/public-address.js';
import type { Release } from '../release/release-record.js';
import type { ReleasePlan } from '../release/release-plan.js';
import type { Stack } from '../render/render-stack.js';
import { applyStack, removeSurplus } from '../release/stack-file.js';
import { readService } from '../engine/swarm.js';
import { monitorMs, waitWhileRollingBack, watchRollout, type Watched } from './watch-rollout.js';

export interface RollOutOptions {
  readonly stackName: string;
  readonly plan: ReleasePlan;
  readonly image: ImageReference;
  /** The release that served before and is restored if the new one fails. */
  readonly previous: Release | undefined;
  readonly timeoutMs: number;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  readonly assertHeld: () => Promise<void>;
  /** The public address, if it was given. */
  readonly url: string | undefined;
  /** The last check of the release, such as the smoke suite. */
  readonly confirm: () => Promise<void>;
}

/** Replaces the running release, checks the new replicas, and restores the old release if a check fails. */
export async function rollOut(docker: Docker, options: RollOutOptions): Promise<ReplicaState[]> {
  const { stackName, plan, image, progress, timeoutMs, signal } = options;
  await options.assertHeld();
  const watched = await createWatched(docker, stackName, plan.stack);
  progress.step(`roll out ${image.digest}`);
  try {
    await applyOrAssertUnchanged(docker, options, watched);
    await watchRollout(docker, watched, { timeoutMs, signal, onPoll: progress.detail });
    progress.step('check every replica');
    const jobs = { stackName, stack: plan.stack, signal };
    const replicas = await probeReplicas(docker, { plan, image, stackName, limitMs: 20_000, jobs });
    await options.confirm();
    return replicas;
  } catch (error) {
    if (error instanceof NothingReplaced) throw error;
    throw await rollBack(docker, options, { watched, cause: error });
  }
}

/** Nothing was rolled out, so nothing is rolled back: the last release record may be older than the running release. */
class NothingReplaced extends DeployError {}

async function applyOrAssertUnchanged(
  docker: Docker,
  { stackName, plan }: RollOutOptions,
  watched: readonly Watched[],
): Promise<void> {
  try {
    await applyStack(docker, stackName, plan.stack);
  } catch (cause) {
    if (!(await isUnchanged(docker, watched))) throw cause;
    const { message } = toDeployError(cause, 'rollout');
    const text = message.split('\n')[0] ?? '';
    throw new NothingReplaced({ text, fix: 'nothing was replaced: the running services are unchanged', cause });
  }
}

/** True if Swarm refused the stack before it changed or added a service. False if the engine does not respond. */
async function isUnchanged(docker: Docker, watched: readonly Watched[]): Promise<boolean> {
  try {
    const now = await Promise.all(watched.map(({ service }) => readService(docker, service)));
    return watched.every(({ before }, index) => before?.version === now[index]?.version);
  } catch {
    return false;
  }
}

export async function createWatched(docker: Docker, stackName: string, stack: Stack): Promise<Watched[]> {
  return Promise.all(
    Object.entries(stack.services).map(async ([name, service]) => {
      const full = `${stackName}_${name}`;
      const deploy = (service['deploy'] ?? {}) as Fields;
      const before = await readService(docker, full);
      return {
        service: full,
        image: String(service['image']),
        replicas: Number(deploy['replicas'] ?? 1),
        before,
        monitorMs: monitorMs(service),
      };
    }),
  );
}

/** Returns the final error: what failed, and which release serves now. */
async function rollBack(
  docker: Docker,
  options: RollOutOptions,
  { watched, cause }: { watched: readonly Watched[]; cause: unknown },
): Promise<DeployError> {
  const { previous, progress } = options;
  const why = cause instanceof Error ? cause.message : String(cause);
  if (previous === undefined) return endWithoutRelease(docker, options, { watched, why, cause });
  const { digest } = previous.record;
  progress.step(`roll back to ${digest}`);
  try {
    await restore(docker, options, previous.deployed);
  } catch (error) {
    return new DeployError({
      text: `${why}\nrollback: ${error instanceof Error ? error.message : String(error)}`,
      fix: 'neither release is confirmed healthy: act now, see docs/runbooks/bad-deploy.md',
      exitCode: EXIT.broken,
      cause,
    });
  }
  const problem = await findProblemOutside(options, digest);
  if (problem !== undefined) {
    return new DeployError({
      text: `${why}\nedge: the replicas run ${digest} again, but ${options.url ?? ''} does not serve it: ${problem}`,
      fix: `check the edge now: docker service logs ${options.stackName}_traefik, see docs/runbooks/bad-deploy.md`,
      exitCode: EXIT.broken,
      cause,
    });
  }
  progress.note(`${digest} serves again`);
  return new DeployError({
    text: why,
    fix: `rolled back: ${digest} serves again; fix the image and deploy again`,
    exitCode: EXIT.rolledBack,
    cause,
  });
}

async function findProblemOutside({ url, timeoutMs }: RollOutOptions, digest: string): Promise<string | undefined> {
  if (url === undefined) return undefined;
  return findPublicProblem({ url, digest, limitMs: Math.min(timeoutMs, 30_000), verifiesCertificate: true });
}

async function restore(docker: Docker, options: RollOutOptions, deployed: Stack): Promise<void> {
  const { stackName, progress, timeoutMs } = options;
  // Without the lock another deploy may be running: it decides which release serves.
  await options.assertHeld();
  const watched = await createWatched(docker, stackName, deployed);
  // Swarm may have started its own rollback. It must finish before we apply the old stack.
  await waitWhileRollingBack(docker, watched, timeoutMs);
  await applyStack(docker, stackName, deployed);
  await watchRollout(docker, watched, { timeoutMs, judgeBy: 'tasks', onPoll: progress.detail });
  // The old release serves again. A failure to remove the new one's extra services is not an error.
  await removeSurplus(docker, stackName, { stack: deployed, note: progress.note }).catch(() => undefined);
}

/** No earlier release is recorded. If services ran anyway, Swarm itself may roll back to them. */
async function endWithoutRelease(
  docker: Docker,
  { timeoutMs, progress }: RollOutOptions,
  { watched, why, cause }: { watched: readonly Watched[]; why: string; cause: unknown },
): Promise<DeployError> {
  const ran = watched.filter(({ before }) => before !== undefined);
  if (ran.length > 0) {
    progress.step('no earlier release is recorded; waiting in case Swarm rolls back by itself');
    await waitWhileRollingBack(docker, ran, timeoutMs);
  }
  const fix = 'not rolled back, because no earlier release is recorded; fix the cause and deploy again';
  return new DeployError({ text: why, fix, exitCode: EXIT.broken, cause });
}
