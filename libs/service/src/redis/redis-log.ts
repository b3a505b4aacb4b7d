import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { explainOtherProtocol, explainRedis, looksLikeOtherProtocol, probeRedis } from './redis-refusal.js';

/** Broken so often in a row, a connection is not just unlucky. */
const MAX_BREAKS = 3;

/**
 * One line when Redis becomes unavailable or refuses this process, and one when it is usable: not one for each attempt.
 * A connection whose database could not be selected is closed: it would use database 0.
 */
export function logRedis(redis: Redis, { environment, logger }: { environment: string; logger: Logger }): void {
  let told: string | undefined;
  let breaks = 0;
  const refuse = (reason: string) => {
    if (told !== reason) logger.error({ reason }, 'redis.refused');
    told = reason;
  };
  const report = (error: Error) => {
    const reason = explainRedis(error, redis.options);
    if (reason !== undefined) return refuse(reason);
    if (told === undefined) logger.warn({ error }, 'redis.away');
    told ??= error.message;
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
      if (told !== undefined) logger.info('redis.back');
      told = undefined;
    }, report);
  });
}
