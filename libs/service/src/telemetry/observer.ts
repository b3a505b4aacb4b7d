import type { FastifyReply, FastifyRequest } from 'fastify';

/** Reports to an external service. It is loaded only if a variable configures such a service. */
export interface Observer {
  /** Called after each response. */
  onRequest?(request: FastifyRequest, reply: FastifyReply): void;
  /** Called for each unexpected error. */
  onError?(error: unknown, context: ErrorContext): void;
  /** Reports how the pool of the database is used. */
  watchPool?(read: () => PoolFigures): void;
  /** Sends the buffered data. Never takes longer than the timeout, and never rejects. */
  close(timeoutMs: number): Promise<void>;
}

export interface PoolFigures {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

export interface ErrorContext {
  readonly requestId?: string;
  readonly route?: string;
}
