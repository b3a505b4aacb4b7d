import type { Config } from '@airlock/config';
import { findRefusal } from '../failures/find-refusal.js';
import { openLogger } from '../logging/logger.js';

/** Reports why the process does not start: one line in a JSON log, plain lines for people. */
export async function reportStartError(
  error: unknown,
  { config, version }: { config: Config; version: string },
): Promise<void> {
  const refusal = findRefusal(error, config);
  if (config.log.format === 'pretty') return console.error(describe(error, { refusal, config }));
  const logger = await openLogger(config, { version });
  if (refusal) logger.fatal({ reason: refusal.message }, 'start.refused');
  else logger.fatal({ error }, 'start.failed');
}

/** Only developers see the stack of an unexpected error. */
function describe(error: unknown, { refusal, config }: { refusal: Error | undefined; config: Config }): string {
  if (refusal) return refusal.message;
  if (!(error instanceof Error)) return String(error);
  return config.service.debug ? (error.stack ?? error.message) : `${error.message}\n  DEBUG=true   # shows the stack`;
}
