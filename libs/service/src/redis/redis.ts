import type { Config } from '@airlock/config';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { logRedis } from './redis-log.js';

/** Injects the configured Redis, or undefined if none is configured. */
export const REDIS = Symbol('redis');

/** Commands time out quickly, because working without Redis takes no longer. */
const COMMAND_TIMEOUT_MS = 200;
const CONNECT_TIMEOUT_MS = 2_000;
const WATCH_MS = 2_500;
const MAX_SILENCES = 2;
const MAX_RECONNECT_DELAY_MS = 1_000;

/** A client that fails fast while Redis is unavailable and reconnects. It is loaded only if a Redis is configured. */
export async function createRedis(
  config: Pick<Config, 'redis' | 'service' | 'environment'>,
  logger: Logger,
  { commandTimeoutMs = COMMAND_TIMEOUT_MS }: { readonly commandTimeoutMs?: number } = {},
): Promise<Redis | undefined> {
  if (!config.redis) {
    logger.warn('redis.not_configured: limits are per process and nothing is cached');
    return undefined;
  }
  const { Redis } = await import('ioredis');
  const redis = new Redis(config.redis.url.reveal(), {
    connectionName: `${config.service.name}/${config.environment}`,
    commandTimeout: commandTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // ioredis waits this long before it destroys a connection that does not close, even if it is already closed.
    disconnectTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_DELAY_MS),
  });
  skipForbiddenInfo(redis);
  logRedis(redis, { environment: config.environment, logger });
  endSilentConnections(redis);
  await redis.connect().catch(() => undefined);
  return redis;
}

/**
 * Before a connection is used, ioredis asks INFO whether the server has loaded its data. For a user without INFO it prints
 * a warning on the console and continues. It continues here without the warning: the probe logs the missing right.
 */
function skipForbiddenInfo(redis: Redis): void {
  type Callback = (error: Error | null, text?: string) => void;
  const ask = redis.info.bind(redis) as (...args: unknown[]) => Promise<string>;
  const info = (...args: unknown[]) => {
    if (typeof args.at(-1) !== 'function') return ask(...args);
    const callback = args.pop() as Callback;
    return ask(...args, (error: Error | null, text?: string) =>
      error?.message.startsWith('NOPERM') ? callback(null, '') : callback(error, text),
    );
  };
  Object.assign(redis, { info });
}

/**
 * If Redis disappears silently, as in a failover that lets no packet through, the kernel keeps the socket for 15
 * minutes. Reconnects after two unanswered PINGs.
 */
function endSilentConnections(redis: Redis): void {
  let silences = 0;
  const ask = async () => {
    const isSilent =
      redis.status === 'ready' &&
      (await redis.ping().then(
        () => false,
        // An error reply is also a reply.
        (error: Error) => error.name !== 'ReplyError',
      ));
    silences = isSilent ? silences + 1 : 0;
    if (silences === MAX_SILENCES) redis.disconnect(true);
  };
  const timer = setInterval(() => void ask(), WATCH_MS).unref();
  redis.once('end', () => clearInterval(timer));
}
