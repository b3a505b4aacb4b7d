import { canonicalHost, type Config } from '@airlock/config';
import { createShutdown, Lifecycle, shutDownOnSignals } from '@airlock/health';
import type { Logger } from 'pino';
import { openLogger } from '../logging/logger.js';
import { Outbound } from './outbound.js';
import { OutboundProxy, type Target } from './outbound-proxy.js';
import { listOwnHosts } from './own-hosts.js';

/** Serves the way out of a network until a signal. It has no connection to the database. */
export async function serveOutboundProxy(config: Config, { version }: { version: string }): Promise<void> {
  const logger = await openLogger(config, { version });
  const proxy = createOutboundProxy(config, logger);
  const lifecycle = new Lifecycle();
  const shutdown = createShutdown({
    lifecycle,
    budget: config.shutdown,
    server: proxy.server,
    close: () => proxy.close(config.shutdown.requestMs),
    log: (event, { error, ...fields }) => {
      if (error) logger.error({ ...fields, error }, event);
      else logger.info(fields, event);
    },
    exit: (code) => process.exit(code),
  });
  shutDownOnSignals(shutdown);
  const { host, port } = config.service;
  await new Promise<void>((resolve, reject) => {
    proxy.server.once('error', reject);
    proxy.server.listen(port, host, resolve);
  });
  lifecycle.serve();
  logger.info({ port, hosts: config.outbound.hosts.length }, 'listening');
}

/** The hosts of the guard in each process, and the mail server, for mail whose recipients the process has judged. */
export function createOutboundProxy(config: Config, logger: Pick<Logger, 'info' | 'warn'>): OutboundProxy {
  const outbound = new Outbound({ ...config, logger });
  const own = listOwnHosts(config);
  const { server } = config.mail;
  const isMailServer = ({ host, port }: Target) =>
    server !== undefined && canonicalHost(host) === canonicalHost(server.host) && port === server.port;
  return new OutboundProxy({
    mayConnect: (target) =>
      outbound.mayReach(target.host) || own.includes(canonicalHost(target.host)) || isMailServer(target),
    onRefused: (target) => logger.warn(target, 'outbound.refused'),
    onFailed: ({ host, port }, { message }) => logger.warn({ host, port, reason: message }, 'outbound.failed'),
  });
}
