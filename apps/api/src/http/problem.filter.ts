import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { sendProblem } from './send-problem.js';

/** The last stop of every error, Nest's and Fastify's alike. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #options: { logger: Logger; isDebug: boolean };

  constructor(options: { logger: Logger; isDebug: boolean }) {
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
