import type { FastifyReply, FastifyRequest } from 'fastify';

/** What an outside service is told of the process. Nothing of it is in memory where no variable names such a service. */
export interface Observer {
  /** A request that has been answered. */
  onRequest?(request: FastifyRequest, reply: FastifyReply): void;
  /** An error that nobody foresaw. */
  onError?(error: unknown, context: ErrorContext): void;
  /** How the pool of the database is used. */
  watchPool?(read: () => PoolFigures): void;
  /** Sends what is still held back; never takes longer than the time given, and never rejects. */
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
