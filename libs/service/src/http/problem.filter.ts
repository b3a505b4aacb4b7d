import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Observer } from '../telemetry/observer.js';
import type { KnownRoutes } from './known-routes.js';
import type { OpenContext } from './open-context.js';
import { sendProblem } from './send-problem.js';

export interface FilterOptions {
  readonly openContext: OpenContext;
  readonly routes: KnownRoutes;
  readonly logger: Logger;
  readonly isDebug: boolean;
  readonly observer: Observer | undefined;
}

/** Sends every error of Nest and Fastify as a problem. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #options: FilterOptions;

  constructor(options: FilterOptions) {
    this.#options = options;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem({
      error,
      request: http.getRequest<FastifyRequest>(),
      reply: http.getResponse<FastifyReply>(),
      ...this.#options,
    });
  }
}
