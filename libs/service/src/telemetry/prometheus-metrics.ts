import type { Lifecycle, Version } from '@airlock/health';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ObservedJob, QueueFigures } from './observer.js';

/** An attempt to send something out of the system. */
export interface Departure {
  readonly peer: string;
  readonly method: string;
  /** `2xx` to `5xx`, `sent`, `error` or `kept`. */
  readonly outcome: string;
  readonly seconds: number;
}

export interface MetricsOptions {
  readonly lifecycle: Lifecycle;
  readonly version: Version;
}

const MILLISECONDS_PER_SECOND = 1_000;
const JOB_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Metrics for Prometheus on the management port. Labels are route patterns and fixed words, never input of a caller.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #duration: Histogram;
  readonly #departures: Histogram;
  #jobs: Histogram | undefined;

  constructor({ lifecycle, version }: MetricsOptions) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#duration = new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Time from the first byte of a request to the last byte of its response',
      labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
      buckets: BUCKETS_SECONDS,
      registers,
    });
    this.#departures = new Histogram({
      name: 'outbound_duration_seconds',
      help: 'Time of an attempt to send mail or HTTP, by the name of the peer; kept: nothing was sent',
      labelNames: ['peer', 'method', 'outcome'],
      buckets: BUCKETS_SECONDS,
      registers,
    });
    const build = new Gauge({
      name: 'app_build_info',
      help: 'Version and commit of the running build',
      labelNames: ['version', 'commit'],
      registers,
    });
    build.set({ version: version.version, commit: version.commit ?? '' }, 1);
    gauge(this.registry, {
      name: 'app_ready',
      help: 'Whether the process accepts traffic',
      read: () => Number(lifecycle.phase === 'serving'),
    });
    gauge(this.registry, {
      name: 'app_draining',
      help: 'Whether the process is shutting down',
      read: () => Number(lifecycle.isDraining),
    });
  }

  /** Shows how the pool of the database is used. */
  watchPool(read: () => Readonly<Record<string, number>>): void {
    new Gauge({
      name: 'db_pool_connections',
      help: 'Connections by state, and requests that wait for a connection',
      labelNames: ['state'],
      registers: [this.registry],
      collect() {
        for (const [state, value] of Object.entries(read())) this.set({ state }, value);
      },
    });
  }

  /** Shows the age of the newest backup that was restored on trial. Each process reads the same record. */
  watchBackups(read: () => Promise<number | undefined>): void {
    const help = 'Age of the newest backup that a drill has restored; infinite without one';
    this.#watchDatabase('backup_restorable_age_seconds', help, read);
  }

  /** Shows whether the server archives its WAL, if it is told to. */
  watchArchive(read: () => Promise<number | undefined>): void {
    const help = 'Seconds since WAL was archived, if the last attempt failed, else 0; absent if archiving is off';
    this.#watchDatabase('backup_archive_behind_seconds', help, read);
  }

  #watchDatabase(name: string, help: string, read: () => Promise<number | undefined>): void {
    new Gauge({
      name,
      help,
      aggregator: 'max',
      registers: [this.registry],
      async collect() {
        // A gauge that was never set, or was reset, is 0. Unknown is not 0, so it is removed.
        const value = await read().catch(() => undefined);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  watchStreams({ events, sockets }: { events: () => number; sockets: () => number }): void {
    const help = 'Open streams of server-sent events';
    gauge(this.registry, { name: 'http_server_event_streams', help, read: events });
    gauge(this.registry, { name: 'http_server_websockets', help: 'Open WebSockets', read: sockets });
  }

  observeDeparture({ seconds, ...labels }: Departure): void {
    this.#departures.observe(labels, seconds);
  }

  /** Shows the queues of jobs. Each process reads the same queues, so the figures of several are not added. */
  watchJobs(read: () => readonly QueueFigures[]): void {
    const watch = (name: string, help: string, figure: (queue: QueueFigures) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ['job'],
        aggregator: 'max',
        registers: [this.registry],
        collect() {
          this.reset();
          for (const queue of read()) this.set({ job: queue.job }, figure(queue));
        },
      });
    watch('jobs_ready', 'Jobs that could be started now', ({ ready }) => ready);
    watch('jobs_running', 'Jobs that a process has taken', ({ running }) => running);
    watch(
      'jobs_oldest_ready_seconds',
      'How long the oldest job waits that could be started',
      (queue) => queue.oldestSeconds,
    );
    this.#jobs = new Histogram({
      name: 'job_duration_seconds',
      help: 'Duration of a run of a job, by its outcome',
      labelNames: ['job', 'outcome'],
      buckets: JOB_BUCKETS_SECONDS,
      registers: [this.registry],
    });
  }

  observeJob({ name, outcome, durationMs }: ObservedJob): void {
    this.#jobs?.observe({ job: name, outcome }, durationMs / MILLISECONDS_PER_SECOND);
  }

  observe(request: FastifyRequest, reply: FastifyReply): void {
    const labels = {
      http_request_method: request.method,
      http_route: request.routeOptions.url ?? 'none',
      http_response_status_code: reply.statusCode,
    };
    this.#duration.observe(labels, reply.elapsedTime / MILLISECONDS_PER_SECOND);
  }
}

function gauge(registry: Registry, { name, help, read }: { name: string; help: string; read: () => number }): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
