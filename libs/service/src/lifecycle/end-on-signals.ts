import type { Server } from 'node:http';
import { type Config, traitsOf } from '@airlock/config';
import { createShutdown, type Lifecycle, shutDownOnSignals } from '@airlock/health';
import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from 'pino';
import type { JobRunner } from '../jobs/job-runner.js';
import type { Observer } from '../telemetry/observer.js';

export interface OpenProcess {
  readonly lifecycle: Lifecycle;
  readonly budget: Config['shutdown'];
  readonly server: Server;
  readonly nest: INestApplicationContext;
  readonly runner: JobRunner | undefined;
  readonly observer: Observer;
  readonly logger: Logger;
}

/** Ends the process on a signal: after its requests and its jobs it closes the pools, and then the telemetry. */
export function endOnSignals({ environment }: Config, open: OpenProcess): void {
  const { lifecycle, budget, server, nest, runner, observer, logger } = open;
  lifecycle.onDrain(() => runner?.drain());
  const shutdown = createShutdown({
    ...{ lifecycle, budget, server },
    close: async () => {
      await runner?.stop(budget.requestMs);
      await nest.close();
      await observer.close(budget.teardownMs / 2);
    },
    log: (event, { error, ...fields }) => {
      if (error) observer.onError?.(error, {});
      if (error) logger.error({ ...fields, error }, event);
      else logger.info(fields, event);
    },
    exit: (code) => process.exit(code),
  });
  shutDownOnSignals(shutdown);
  // When the development server that started this process exits, nothing else would stop it.
  if (traitsOf(environment).isServedFromSources) process.once('disconnect', () => shutdown('parent exited'));
}
