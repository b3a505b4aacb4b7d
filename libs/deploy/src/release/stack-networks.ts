import { DeployError } from '../engine/deploy-error.js';
import { type Docker, parseLines } from '../engine/docker.js';
import type { Stack } from '../render/render-stack.js';

/**
 * Swarm keeps a network that exists as it is: one that an earlier release created open would stay open, unnoticed.
 * @throws DeployError naming each such network
 */
export async function assertNetworksAreClosed(
  docker: Docker,
  stackName: string,
  { networks }: Pick<Stack, 'networks'>,
) {
  const label = `label=com.docker.stack.namespace=${stackName}`;
  const text = await docker.run(['network', 'ls', '--filter', label, '--format', 'json']);
  const open = parseLines<{ Name: string; Internal: string }>(text).filter(({ Internal }) => Internal !== 'true');
  const closed = Object.entries(networks).filter(([, network]) => network['internal'] === true);
  const wrong = open.filter(({ Name }) => closed.some(([key]) => Name === `${stackName}_${key}`));
  if (wrong.length === 0) return;
  throw new DeployError({
    text: wrong.map(({ Name }) => `${Name}: has a way out; expected an internal network, as in the stack`).join('\n'),
    fix: `Docker cannot change a network. Once, with a gap: docker stack rm ${stackName}, which keeps volumes and secrets`,
  });
}

/** The network of the edge belongs to another project. @throws DeployError if it has a way out */
export async function assertEdgeIsClosed(docker: Docker, network: string): Promise<void> {
  const isInternal = (await docker.run(['network', 'inspect', network, '--format', '{{.Internal}}'])).trim();
  if (isInternal === 'true') return;
  throw new DeployError({
    text: `${network}: has a way out, so a preview could reach every host; expected an internal network`,
    fix: 'recreate it: docker compose -f docker/traefik/compose.yml down, then up (docs/docker.md)',
  });
}
