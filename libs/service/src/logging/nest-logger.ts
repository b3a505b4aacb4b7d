import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/**
 * Writes Nest's messages to our log. Messages about its start are logged at trace, warnings and errors at their level.
 */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#logger.trace({ from: rest.at(-1), message }, 'framework');
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.log(message, ...rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.log(message, ...rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#logger.warn({ from: rest.at(-1), message }, 'framework');
  }

  error(message: unknown, ...rest: unknown[]): void {
    // An error that prevents the start is also thrown, and main.ts reports it once.
    if (rest.at(-1) === 'ExceptionHandler') return;
    this.#logger.error({ from: rest.at(-1), error: message, details: rest.slice(0, -1) }, 'framework');
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#logger.fatal({ from: rest.at(-1), error: message, details: rest.slice(0, -1) }, 'framework');
  }
}
