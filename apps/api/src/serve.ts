import type { Config } from '@airlock/config';
import { assertBudget, createShutdown, Lifecycle, shutDownOnSignals, type Shutdown } from '@airlock/health';
import { createApp } from './create-app.js';
import { createLogger } from './http/logger.js';
import { readVersion } from './version.js';

/** Starts the API, serves, and leaves in order when it is told to. */
export async function serve(config: Config): Promise<void> {
  assertBudget(config.shutdown, config.http.requestTimeoutMs);
  const version = readVersion(config);
  const logger = createLogger(config, { version: version.version });
  const lifecycle = new Lifecycle();
  const app = await createApp(config, { logger, lifecycle, version });

  const shutdown = createShutdown({
    lifecycle,
    budget: config.shutdown,
    server: app.getHttpServer(),
    close: () => app.close(),
    log: (event, { error, ...fields }) =>
      error ? logger.error({ ...fields, error }, event) : logger.info(fields, event),
    exit: (code) => process.exit(code),
  });
  shutDownOnSignals(shutdown);
  leaveWithParent(config, shutdown);

  await app.listen({ host: config.service.host, port: config.service.port });
  lifecycle.serve();
  logger.info({ url: await app.getUrl() }, 'listening');
  process.send?.('ready');
}

/** The development server that started this process talks to it over a channel; when it dies, nobody would stop us. */
function leaveWithParent({ environment }: Config, shutdown: Shutdown): void {
  if (environment === 'development') process.once('disconnect', () => shutdown('parent gone'));
}
