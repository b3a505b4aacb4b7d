import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** Nest's own messages in our log. What it tells of its start is a detail; its warnings and errors are not. */
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
    // What keeps the application from being built is thrown as well, and told once, by main.ts.
    if (rest.at(-1) === 'ExceptionHandler') return;
    this.#logger.error({ from: rest.at(-1), error: message, details: rest.slice(0, -1) }, 'framework');
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#logger.fatal({ from: rest.at(-1), error: message, details: rest.slice(0, -1) }, 'framework');
  }
}
