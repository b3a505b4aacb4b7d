import { createDocker } from './docker.js';
import { digestOf } from './image-reference.js';
import { describeHolder, isStale, readLock } from './lock.js';
import { findCurrent, loadReleases, type DeploymentRecord } from './record.js';
import type { Settings } from './settings.js';
import { assertSwarmManager, isRunning, listTasks, readService } from './swarm.js';

export interface EnvironmentStatus {
  readonly environment: string;
  readonly stack: string;
  /** By the record: what the last release that succeeded brought. */
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
  /** True where what runs is what the record says, in full number. */
  readonly ok: boolean;
}

export async function loadEnvironmentStatus({ environment, stackName, context }: Settings): Promise<EnvironmentStatus> {
  const docker = createDocker(context);
  await assertSwarmManager(docker);
  const [releases, holder] = await Promise.all([loadReleases(docker, stackName), readLock(docker, stackName)]);
  const current = findCurrent(releases);
  const names = Object.entries(current?.deployed.services ?? {}).filter(
    ([, { image }]) => image === current?.record.image,
  );
  const services = await Promise.all(
    names.map(async ([name]) => {
      const full = `${stackName}_${name}`;
      const [service, tasks] = await Promise.all([readService(docker, full), listTasks(docker, full)]);
      return {
        name,
        digest: service ? (digestOf(service.image) ?? null) : null,
        running: tasks.filter(isRunning).length,
        wanted: service?.replicas ?? 0,
        update: service?.update?.state ?? 'none',
      };
    }),
  );
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
    `${status.environment} (${status.stack}): ${status.recorded ?? 'nothing was deployed'}`,
    ...status.services.map(
      ({ name, digest, running, wanted, update }) =>
        `  ${name}: ${running} of ${wanted} running, update ${update}${digest === status.recorded ? '' : `, but ${digest ?? 'no digest'}`}`,
    ),
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
