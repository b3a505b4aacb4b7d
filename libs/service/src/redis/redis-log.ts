import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { explainOtherProtocol, explainRedis, looksLikeOtherProtocol, probeRedis } from './redis-refusal.js';

/** After this many broken connections in a row, the cause is not chance. */
const MAX_BREAKS = 3;

/**
 * Logs one line when Redis becomes unavailable or rejects this process, and one when it has recovered, instead of one
 * for each attempt. A connection whose database could not be selected is closed, because it would use database 0.
 */
export function logRedis(redis: Redis, { environment, logger }: { environment: string; logger: Logger }): void {
  let reported: string | undefined;
  let breaks = 0;
  const refuse = (reason: string) => {
    if (reported !== reason) logger.error({ reason }, 'redis.refused');
    reported = reason;
  };
  const report = (error: Error) => {
    const reason = explainRedis(error, redis.options);
    if (reason !== undefined) return refuse(reason);
    if (reported === undefined) logger.warn({ error }, 'redis.unavailable');
    reported ??= error.message;
    if (looksLikeOtherProtocol(error, redis.options)) breaks += 1;
    if (breaks === MAX_BREAKS) refuse(explainOtherProtocol(redis.options));
  };
  redis.on('error', (error: Error) => {
    report(error);
    if ('command' in error && (error.command as { name?: string } | undefined)?.name === 'select')
      redis.disconnect(true);
  });
  redis.on('ready', () => {
    breaks = 0;
    probeRedis(redis, environment).then(() => {
      if (reported !== undefined) logger.info('redis.recovered');
      reported = undefined;
    }, report);
  });
}
