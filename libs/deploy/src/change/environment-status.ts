import { createDocker } from '../engine/docker.js';
import { digestOf } from '../engine/image-reference.js';
import { describeHolder, isStale, readLock } from '../release/deploy-lock.js';
import { findCurrent, loadReleases, type DeploymentRecord } from '../release/release-record.js';
import type { Settings } from '../release/deploy-settings.js';
import { listAppServices } from '../release/serving.js';
import { assertSwarmManager, isRunning, observeServices } from '../engine/swarm.js';

export interface EnvironmentStatus {
  readonly environment: string;
  readonly stack: string;
  /** The digest in the record of the last successful release. */
  readonly recorded: string | null;
  readonly services: readonly {
    readonly name: string;
    readonly digest: string | null;
    readonly running: number;
    readonly wanted: number;
    readonly update: string;
  }[];
  readonly lock: { readonly id: string; readonly holder: string; readonly isStale: boolean } | null;
  readonly deployments: readonly DeploymentRecord[];
  /** True if every service runs the recorded digest with all replicas. */
  readonly ok: boolean;
}

export async function loadEnvironmentStatus({ environment, stackName, context }: Settings): Promise<EnvironmentStatus> {
  const docker = createDocker(context);
  await assertSwarmManager(docker);
  const [releases, holder] = await Promise.all([loadReleases(docker, stackName), readLock(docker, stackName)]);
  const current = findCurrent(releases);
  const names = listAppServices(current);
  const observed = await observeServices(
    docker,
    names.map((name) => `${stackName}_${name}`),
  );
  const services = names.map((name) => {
    const { state, tasks = [] } = observed.get(`${stackName}_${name}`) ?? {};
    return {
      name,
      digest: state ? (digestOf(state.image) ?? null) : null,
      running: tasks.filter(isRunning).length,
      wanted: state?.replicas ?? 0,
      update: state?.update?.state ?? 'none',
    };
  });
  const recorded = current?.record.digest ?? null;
  return {
    environment,
    stack: stackName,
    recorded,
    services,
    lock: holder ? { id: holder.id, holder: describeHolder(holder), isStale: isStale(holder) } : null,
    deployments: releases.map(({ record }) => record),
    ok:
      services.length > 0 && services.every(({ digest, running, wanted }) => digest === recorded && running === wanted),
  };
}

export function describeStatus(status: EnvironmentStatus): string {
  return [
    `${status.environment} (${status.stack}): ${status.recorded ?? 'no release yet'}`,
    ...status.services.map(
      ({ name, digest, running, wanted, update }) =>
        `  ${name}: ${running} of ${wanted} running, update ${update}${digest === status.recorded ? '' : `, runs ${digest ?? 'an image without a digest'}`}`,
    ),
    ...(status.services.some(({ digest }) => digest !== status.recorded) ? [describeDifference(status)] : []),
    ...(status.lock ? [`  lock ${status.lock.id}: ${status.lock.isStale ? 'stale, ' : ''}${status.lock.holder}`] : []),
    ...status.deployments
      .slice(-10)
      .reverse()
      .map(
        ({ finishedAt, action, outcome, digest, commit, actor, smoke }) =>
          `  ${finishedAt}  ${action.padEnd(8)} ${outcome.padEnd(11)} ${digest}  ${commit?.slice(0, 7) ?? '-------'}  smoke ${smoke}  ${actor}`,
      ),
  ].join('\n');
}

function describeDifference({ lock }: EnvironmentStatus): string {
  const why = lock
    ? 'the owner of the lock is still at work, or was interrupted'
    : 'a deploy was interrupted, or a service was changed by hand; deploy or roll back';
  return `  the running digest is not the recorded one: ${why}`;
}
