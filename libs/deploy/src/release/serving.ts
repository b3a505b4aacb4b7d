import type { Docker } from '../engine/docker.js';
import { digestOf } from '../engine/image-reference.js';
import type { Release } from './release-record.js';
import { readService, type ServiceState } from '../engine/swarm.js';

/** The current state of the services that ran the release's image. */
export async function readAppServices(
  docker: Docker,
  stackName: string,
  release: Release | undefined,
): Promise<{ readonly name: string; readonly state: ServiceState | undefined }[]> {
  const names = listAppServices(release);
  return Promise.all(names.map(async (name) => ({ name, state: await readService(docker, `${stackName}_${name}`) })));
}

export function listAppServices(release: Release | undefined): string[] {
  const services = Object.entries(release?.deployed.services ?? {});
  return services.filter(([, { image }]) => image === release?.record.image).map(([name]) => name);
}

/** The digest that all of these services are set to; undefined if they differ or are unknown. */
export async function readServingDigest(
  docker: Docker,
  stackName: string,
  current: Release | undefined,
): Promise<string | undefined> {
  const services = await readAppServices(docker, stackName, current);
  const digests = new Set(services.map(({ state }) => state && digestOf(state.image)));
  return digests.size === 1 ? [...digests][0] : undefined;
}
