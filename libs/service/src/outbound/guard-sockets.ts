import { canonicalHost, type Config } from '@airlock/config';
import type { Logger } from 'pino';
import { installSocketGuard } from './socket-guard.js';
import { Outbound } from './outbound.js';
import { hostOf, listOwnHosts } from './own-hosts.js';

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
  const own = [...listOwnHosts(config), ...listDirectHosts(config)];
  return installSocketGuard({
    mayConnect: (host) => outbound.mayReach(host) || own.includes(canonicalHost(host)),
    describe: (host) =>
      `${host}: is not a host that ${environment} may reach; expected a connection through HttpPeers or Mailer\n` +
      '  list it in OUTBOUND_HOSTS, or replace the service by a fake: docs/outside-services.md',
    onRefused: (host) => logger.warn({ host }, 'outbound.refused'),
  });
}

/** Those that the process itself connects to. */
function listDirectHosts({ database, redis, outbound }: Config): string[] {
  const databases = [database.app, database.migration, database.admin].flatMap((address) => address?.host ?? []);
  return [...databases, ...hostOf(redis?.url), ...hostOf(outbound.proxy)].map(canonicalHost);
}
