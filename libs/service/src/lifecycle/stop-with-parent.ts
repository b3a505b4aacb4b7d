import { type Config, traitsOf } from '@airlock/config';
import type { Shutdown } from '@airlock/health';

/** Stops when the development server that started this process exits, because nothing else would stop it. */
export function stopWithParent({ environment }: Config, shutdown: Shutdown): void {
  if (traitsOf(environment).isServedFromSources) process.once('disconnect', () => shutdown('parent exited'));
}
