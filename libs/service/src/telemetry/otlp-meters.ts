import { performance } from 'node:perf_hooks';
import type { Histogram, Meter } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ObservedJob } from './observer.js';
import type { OutgoingOperation } from './outgoing-operation.js';

const SEND_EVERY_MS = 15_000;
const SEND_TIMEOUT_MS = 10_000;
const MILLISECONDS_PER_SECOND = 1_000;
const FIRST_SERVER_ERROR = 500;
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Metrics named by OpenTelemetry's conventions. Attributes are route patterns and fixed words, never input of a caller.
 */
export class Meters {
  readonly #provider: MeterProvider;
  readonly #meter: Meter;
  readonly #requests: Histogram;
  readonly #jobs: Histogram;
  readonly #operations: Readonly<Record<'db' | 'http', Histogram>>;

  constructor({ exporter, resource }: { exporter: PushMetricExporter; resource: Resource }) {
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: SEND_EVERY_MS,
      exportTimeoutMillis: SEND_TIMEOUT_MS,
    });
    this.#provider = new MeterProvider({ resource, readers: [reader] });
    this.#meter = this.#provider.getMeter('airlock');
    this.#requests = this.#createDuration('http.server.request.duration');
    this.#jobs = this.#createDuration('messaging.process.duration');
    this.#operations = {
      db: this.#createDuration('db.client.operation.duration'),
      http: this.#createDuration('http.client.request.duration'),
    };
    this.#watchProcess();
  }

  addRequest(request: FastifyRequest, reply: FastifyReply): void {
    const { statusCode } = reply;
    this.#requests.record(reply.elapsedTime / MILLISECONDS_PER_SECOND, {
      'http.request.method': request.method,
      'http.route': request.routeOptions.url ?? 'none',
      'http.response.status_code': statusCode,
      ...(statusCode >= FIRST_SERVER_ERROR && { 'error.type': String(statusCode) }),
    });
  }

  addJob({ name, outcome, durationMs }: ObservedJob): void {
    this.#jobs.record(durationMs / MILLISECONDS_PER_SECOND, {
      'messaging.system': 'pg-boss',
      'messaging.destination.name': name,
      'airlock.job.outcome': outcome,
    });
  }

  addOperation({ attributes, outcome }: OutgoingOperation, durationMs: number): void {
    const duration = this.#operations['db.system.name' in attributes ? 'db' : 'http'];
    duration.record(durationMs / MILLISECONDS_PER_SECOND, { ...attributes, ...outcome });
  }

  watchPool(read: () => { total: number; idle: number; waiting: number }): void {
    this.#meter.createObservableUpDownCounter('db.client.connection.count').addCallback((result) => {
      const { total, idle } = read();
      result.observe(idle, { 'db.client.connection.state': 'idle' });
      result.observe(total - idle, { 'db.client.connection.state': 'used' });
    });
    this.#meter
      .createObservableUpDownCounter('db.client.connection.pending_requests')
      .addCallback((result) => result.observe(read().waiting));
  }

  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }

  #createDuration(name: string): Histogram {
    return this.#meter.createHistogram(name, {
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS_SECONDS },
    });
  }

  #watchProcess(): void {
    this.#meter
      .createObservableGauge('process.memory.usage', { unit: 'By' })
      .addCallback((result) => result.observe(process.memoryUsage.rss()));
    let last = performance.eventLoopUtilization();
    this.#meter.createObservableGauge('nodejs.eventloop.utilization').addCallback((result) => {
      const now = performance.eventLoopUtilization();
      result.observe(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    });
  }
}
