import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

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

export interface ObserverOptions {
  readonly config: Config;
  readonly version: Version;
  /** For what only we can say: that an observer hears nothing. */
  readonly logger: Logger;
}

/** One observer made of all that the config names. */
export async function openObservers(options: ObserverOptions): Promise<Observer> {
  const { otlpEndpoint, sentryDsn } = options.config.observability;
  const observers: Observer[] = [];
  if (otlpEndpoint) {
    const { createTelemetry } = await import('./telemetry/telemetry.js');
    observers.push(createTelemetry(otlpEndpoint, options));
  }
  if (sentryDsn) {
    const { createErrorReports } = await import('./error-reports.js');
    observers.push(createErrorReports(sentryDsn, options));
  }
  return {
    onRequest: (request, reply) => observers.forEach((observer) => observer.onRequest?.(request, reply)),
    onError: (error, context) => observers.forEach((observer) => observer.onError?.(error, context)),
    watchPool: (read) => observers.forEach((observer) => observer.watchPool?.(read)),
    close: async (timeoutMs) => void (await Promise.all(observers.map((observer) => observer.close(timeoutMs)))),
  };
}
