import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';
import type { Logger } from 'pino';
import type { Observer } from './observer.js';

export interface ObserverOptions {
  readonly config: Config;
  readonly version: Version;
  /** Logs that an external service receives no data. */
  readonly logger: Logger;
}

/** Combines all configured observers into one. */
export async function openObservers(options: ObserverOptions): Promise<Observer> {
  const { otlpEndpoint, sentryDsn } = options.config.observability;
  const observers: Observer[] = [];
  if (otlpEndpoint) {
    const { createTelemetry } = await import('./otlp-telemetry.js');
    observers.push(createTelemetry(otlpEndpoint, options));
  }
  if (sentryDsn) {
    const { createErrorReports } = await import('./error-reports.js');
    observers.push(createErrorReports(sentryDsn, options));
  }
  return {
    onRequest: (request, reply) => observers.forEach((observer) => observer.onRequest?.(request, reply)),
    onJob: (run) => observers.forEach((observer) => observer.onJob?.(run)),
    onError: (error, context) => observers.forEach((observer) => observer.onError?.(error, context)),
    watchPool: (read) => observers.forEach((observer) => observer.watchPool?.(read)),
    close: async (timeoutMs) => void (await Promise.all(observers.map((observer) => observer.close(timeoutMs)))),
  };
}
