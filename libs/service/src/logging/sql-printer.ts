import type { Logger } from 'pino';

/** DB_ECHO asks for statements explicitly, so they are logged at `info` and not as details of the framework. */
export function createSqlPrinter(logger: Logger) {
  return {
    log: (sql: string) => logger.info({ sql }, 'sql'),
    warn: (sql: string) => logger.warn({ sql }, 'sql'),
  };
}
