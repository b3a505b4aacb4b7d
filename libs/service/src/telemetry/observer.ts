import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TraceContext } from '../context/identifiers.js';

/** Reports to an external service. It is loaded only if a variable configures such a service. */
export interface Observer {
  /** Called after each response. */
  onRequest?(request: FastifyRequest, reply: FastifyReply): void;
  /** Called after each run of a job. */
  onJob?(run: ObservedJob): void;
  /** Called for each unexpected error. */
  onError?(error: unknown, context: ErrorContext): void;
  /** Reports how the pool of the database is used. */
  watchPool?(read: () => PoolFigures): void;
  /** Sends the buffered data. Never takes longer than the timeout, and never rejects. */
  close(timeoutMs: number): Promise<void>;
}

/** How a run ended. `released`: at the shutdown of its process, and another one continues. */
export type JobOutcome = 'done' | 'failed' | 'dead' | 'released' | 'taken';

export interface ObservedJob {
  readonly name: string;
  readonly outcome: JobOutcome;
  readonly attempt: number;
  readonly durationMs: number;
  readonly requestId: string;
  /** The trace of the request that sent the job, continued. */
  readonly trace: TraceContext;
}

export interface QueueFigures {
  readonly job: string;
  readonly ready: number;
  readonly running: number;
  /** How long the oldest job has waited that could have been started. */
  readonly oldestSeconds: number;
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
