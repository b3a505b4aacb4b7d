import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What an outside service is told of the process. Nothing of it is in memory where no variable names such a service. */
export interface Observer {
  /** A request that has been answered. */
  onRequest?(request: FastifyRequest, reply: FastifyReply): void;
  /** An error that nobody foresaw. */
  onError?(error: unknown, context: ErrorContext): void;
  /** Sends what is still held back; never takes longer than the time given, and never rejects. */
  close(timeoutMs: number): Promise<void>;
}

export interface ErrorContext {
  readonly requestId?: string;
  readonly route?: string;
}

/** One observer made of all that the config names. */
export async function openObservers(config: Config, version: Version): Promise<Observer> {
  const { otlpEndpoint, sentryDsn } = config.observability;
  const observers: Observer[] = [];
  if (otlpEndpoint) observers.push((await import('./tracing.js')).createTracing(otlpEndpoint, { config, version }));
  if (sentryDsn)
    observers.push((await import('./error-reports.js')).createErrorReports(sentryDsn, { config, version }));
  return {
    onRequest: (request, reply) => observers.forEach((observer) => observer.onRequest?.(request, reply)),
    onError: (error, context) => observers.forEach((observer) => observer.onError?.(error, context)),
    close: async (timeoutMs) => void (await Promise.all(observers.map((observer) => observer.close(timeoutMs)))),
  };
}
