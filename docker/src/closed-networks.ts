/** C8: where an environment may not reach any host, its networks have no way out but the proxy. */
import { isDeepStrictEqual } from 'node:util';
import { type Program, programNames, PROGRAMS, traitsOf } from '@airlock/config';
import { isRead } from '@airlock/config/loading';
import { type Network, OVERLAYS, type Overlay, type OverlayModel, type Service } from './compose-overlays.js';
import type { Breach } from './locate.js';

/** The edge publishes ports and gets certificates; `outbound` connects to the hosts that are allowed. */
const OPEN = ['traefik', 'outbound'];
const GATEWAY = 'com.docker.network.bridge.gateway_mode_ipv4';

const traitsOfOverlay = (overlay: Overlay) => traitsOf(overlay.replace(/-swarm$/, ''));

/** A port that is published on a laptop needs a network with a way out, so that development relies on its guard. */
export const CLOSED = OVERLAYS.filter((overlay) => {
  const { mayReachAnyHost, isServedFromSources } = traitsOfOverlay(overlay);
  return !mayReachAnyHost && !isServedFromSources;
});
/** Without the edge of a preview host, which runs no program. */
export const WITH_PROXY = CLOSED.filter((overlay) => overlay !== 'edge' && !traitsOfOverlay(overlay).runsLocally);

export function findOpenNetworks(model: OverlayModel, overlay: Overlay): Breach[] {
  const isClosed = (name: string) => isClosedNetwork(model.networks?.[name], overlay);
  const open = Object.entries(model.services).flatMap(([name, service]) => {
    const isExempt = OPEN.includes(name) || name === 'socket-proxy' || isTestServer(name, service, overlay);
    const networks = Object.keys(service.networks ?? { default: null }).filter((network) => !isClosed(network));
    return isExempt ? [] : networks.map((network) => ({ name, network }));
  });
  // Other projects join it: the previews of a host.
  const edge = model.networks?.['edge'];
  return [
    ...open.map(({ name, network }) => ({
      path: ['services', name, 'networks'],
      problem: `joins ${network}, which has a way out; expected closed networks, and ${OPEN.join(' or ')} for the way out`,
    })),
    ...(edge && !isClosed('edge')
      ? [{ path: ['networks', 'edge'], problem: 'has a way out; expected internal: true and an isolated gateway' }]
      : []),
  ];
}

/** Each program that knows the proxy must be told where it is, also one that is added later. */
export function findMissingProxies(model: OverlayModel): Breach[] {
  const { command, ports }: Program = PROGRAMS.outbound;
  const proxy = model.services['outbound'];
  if (!proxy || !isDeepStrictEqual(proxy.command, command))
    return [{ path: ['services', 'outbound'], problem: `is not the proxy; expected ${command.join(' ')}` }];
  const address = `http://outbound:${ports?.service ?? ''}`;
  return Object.entries(model.services)
    .filter(([, service]) => service.image === proxy.image && readsProxy(service))
    .filter(([, { environment }]) => environment?.['OUTBOUND_PROXY'] !== address)
    .map(([name, { environment }]) => ({
      path: ['services', name, 'environment'],
      problem: `has OUTBOUND_PROXY ${environment?.['OUTBOUND_PROXY'] ?? 'not set'}; expected ${address}`,
    }));
}

function isClosedNetwork(network: Network | undefined, overlay: Overlay): boolean {
  // The edge of a preview host owns it; that edge is judged as another overlay.
  if (network?.external) return traitsOfOverlay(overlay).isDisposable;
  // Otherwise an internal bridge has an address of the host, and all that listens there can be reached.
  const hasHost = !overlay.endsWith('-swarm') && network?.driver_opts?.[GATEWAY] !== 'isolated';
  return network?.internal === true && !hasHost;
}

/** Published on this machine only, for tests; it runs no code of the product. */
function isTestServer(name: string, { ports }: Service, overlay: Overlay): boolean {
  return traitsOfOverlay(overlay).mayBeReset && ['postgres', 'redis'].includes(name) && Boolean(ports?.length);
}

/** A command that is in no table is judged like a program of the product. */
function readsProxy({ command }: Service): boolean {
  const words = command ?? PROGRAMS.api.command;
  const program = programNames.find((name) => isDeepStrictEqual(PROGRAMS[name].command, words));
  return program === undefined || isRead('OUTBOUND_PROXY', program);
}
