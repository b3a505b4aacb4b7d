import type { Docker } from '../engine/docker.js';
import type { Fields } from '../engine/model-fields.js';
import type { ImageReference } from '../engine/image-reference.js';
import { DeployError, EXIT, toDeployError } from '../engine/deploy-error.js';
import { probeReplicas, type ReplicaAnswer } from './probe-replicas.js';
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
  /** What served before and is brought back when the new one fails. */
  readonly previous: Release | undefined;
  readonly timeoutMs: number;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  readonly assertHeld: () => Promise<void>;
  /** Where people reach it; undefined where it was not given. */
  readonly url: string | undefined;
  /** The last word before the release counts, such as the smoke suite. */
  readonly confirm: () => Promise<void>;
}

/** Replaces what serves, judges it by what runs and answers, and brings the old release back when it fails. */
export async function rollOut(docker: Docker, options: RollOutOptions): Promise<ReplicaAnswer[]> {
  const { stackName, plan, image, progress, timeoutMs, signal } = options;
  await options.assertHeld();
  const watched = await createWatched(docker, stackName, plan.stack);
  progress.step(`roll out ${image.digest}`);
  try {
    await applyWhole(docker, options, watched);
    await watchRollout(docker, watched, { timeoutMs, signal, onLook: progress.detail });
    progress.step('ask every replica');
    const jobs = { stackName, stack: plan.stack, signal };
    const answers = await probeReplicas(docker, { plan, image, stackName, limitMs: 20_000, jobs });
    await options.confirm();
    return answers;
  } catch (error) {
    if (error instanceof NothingReplaced) throw error;
    throw await rollBack(docker, options, { watched, cause: error });
  }
}

/** What was not rolled out is not rolled back: the record of the last release may be older than what serves. */
class NothingReplaced extends DeployError {}

async function applyWhole(
  docker: Docker,
  { stackName, plan }: RollOutOptions,
  watched: readonly Watched[],
): Promise<void> {
  try {
    await applyStack(docker, stackName, plan.stack);
  } catch (cause) {
    if (!(await isUntouched(docker, watched))) throw cause;
    const { message } = toDeployError(cause, 'rollout');
    const text = message.split('\n')[0] ?? '';
    throw new NothingReplaced({ text, mend: 'nothing was replaced: what served before still does', cause });
  }
}

/** Swarm refused the stack before it changed, or added, a service. An engine that does not answer leaves that open. */
async function isUntouched(docker: Docker, watched: readonly Watched[]): Promise<boolean> {
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

/** Returns the error to end with: it says what failed and what serves now. */
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
    await bringBack(docker, options, previous.deployed);
  } catch (error) {
    return new DeployError({
      text: `${why}\nrollback: ${error instanceof Error ? error.message : String(error)}`,
      mend: 'it is not certain that either release serves whole: look now, docs/runbooks/bad-deploy.md',
      exitCode: EXIT.broken,
      cause,
    });
  }
  const problem = await findProblemOutside(options, digest);
  if (problem !== undefined) {
    return new DeployError({
      text: `${why}\nedge: the replicas run ${digest} again, but ${options.url ?? ''} is not ready with it: ${problem}`,
      mend: `look at the edge now: docker service logs ${options.stackName}_traefik, docs/runbooks/bad-deploy.md`,
      exitCode: EXIT.broken,
      cause,
    });
  }
  progress.note(`${digest} serves again`);
  return new DeployError({
    text: why,
    mend: `rolled back: ${digest} serves; mend the image and deploy again`,
    exitCode: EXIT.rolledBack,
    cause,
  });
}

async function findProblemOutside({ url, timeoutMs }: RollOutOptions, digest: string): Promise<string | undefined> {
  if (url === undefined) return undefined;
  return findPublicProblem({ url, digest, limitMs: Math.min(timeoutMs, 30_000), verifiesCertificate: true });
}

async function bringBack(docker: Docker, options: RollOutOptions, deployed: Stack): Promise<void> {
  const { stackName, progress, timeoutMs } = options;
  // Whoever holds the lock now decides what serves.
  await options.assertHeld();
  const watched = await createWatched(docker, stackName, deployed);
  // Swarm may have begun to go back by itself. It finishes that before it is told to.
  await waitWhileRollingBack(docker, watched, timeoutMs);
  await applyStack(docker, stackName, deployed);
  await watchRollout(docker, watched, { timeoutMs, judgeBy: 'tasks', onLook: progress.detail });
  // What serves is back; what the other one had besides is tidied where it can be.
  await removeSurplus(docker, stackName, { stack: deployed, note: progress.note }).catch(() => undefined);
}

/** No release is recorded to go back to. Where something ran all the same, Swarm itself may have gone back to it. */
async function endWithoutRelease(
  docker: Docker,
  { timeoutMs, progress }: RollOutOptions,
  { watched, why, cause }: { watched: readonly Watched[]; why: string; cause: unknown },
): Promise<DeployError> {
  const ran = watched.filter(({ before }) => before !== undefined);
  if (ran.length > 0) {
    progress.step('no release is recorded; waiting for Swarm, which may go back by itself');
    await waitWhileRollingBack(docker, ran, timeoutMs);
  }
  const mend = 'no release is recorded to go back to; mend it and deploy again';
  return new DeployError({ text: why, mend, exitCode: EXIT.broken, cause });
}
