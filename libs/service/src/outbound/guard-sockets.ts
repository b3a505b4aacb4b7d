import { canonicalHost, type Config, type Secret } from '@airlock/config';
import type { Logger } from 'pino';
import { installSocketGuard } from './socket-guard.js';
import { Outbound } from './outbound.js';

/**
 * Refuses connections of the process to hosts outside, also those of libraries that know no peer, unless the environment
 * may reach any host.
 */
export function guardSockets(config: Config, logger: Pick<Logger, 'info' | 'warn'>): () => void {
  const {
    environment,
    outbound: { hosts },
  } = config;
  if (hosts.includes('*')) return () => {};
  const outbound = new Outbound({ environment, outbound: { hosts }, logger });
  const own = listOwnHosts(config);
  return installSocketGuard({
    mayConnect: (host) => outbound.mayReach(host) || own.includes(canonicalHost(host)),
    describe: (host) =>
      `${host}: is not a host that ${environment} may reach; expected a connection through HttpPeers or Mailer\n` +
      '  list it in OUTBOUND_HOSTS, or replace the service by a fake: docs/outside-services.md',
    onRefused: (host) => logger.warn({ host }, 'outbound.refused'),
  });
}

/** The hosts of the system itself: they are in the configuration, and rules have judged them. */
function listOwnHosts({ database, redis, auth, observability, storage }: Config): string[] {
  const databases = [database.app, database.migration, database.admin].flatMap((address) => address?.host ?? []);
  const buckets = storage?.kind === 'bucket' ? [storage.host] : [];
  const addresses = [auth.jwksUrl, observability.otlpEndpoint, redis?.url, observability.sentryDsn];
  const urls = addresses.flatMap((address) => (address === undefined ? [] : new URL(textOf(address)).hostname));
  return [...databases, ...buckets, ...urls].map(canonicalHost);
}

function textOf(address: string | Secret): string {
  return typeof address === 'string' ? address : address.reveal();
}
