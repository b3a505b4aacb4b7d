import type { HealthIndicatorResult, HealthIndicatorStatus } from '@nestjs/terminus';
import type { Lifecycle } from './lifecycle.js';

/** The result of an indicator of Terminus: state and latency by the name of the component, and nothing else. */
export type Finding = HealthIndicatorResult<string, HealthIndicatorStatus, { readonly latencyMs: number }>;

export interface Indicator {
  readonly ask: () => Promise<Finding>;
  /** Additional figures for operators, such as the use of a pool. */
  readonly figures?: (() => Readonly<Record<string, number>>) | undefined;
}

export interface Version {
  readonly name: string;
  readonly version: string;
  readonly commit: string | null;
  readonly builtAt: string | null;
  readonly digest: string | null;
}

export interface HealthOptions {
  readonly lifecycle: Lifecycle;
  readonly indicators: readonly Indicator[];
  readonly version: Version;
}

export interface HealthResponse {
  readonly statusCode: 200 | 503;
  readonly body: object;
}

const OK: HealthResponse = { statusCode: 200, body: { status: 'ok' } };
const STARTING: HealthResponse = { statusCode: 503, body: { status: 'starting' } };
const DRAINING: HealthResponse = { statusCode: 503, body: { status: 'draining' } };

/** The health of a process: names and states, never an address, a message or a stack. */
export class Health {
  readonly #options: HealthOptions;
  readonly #version: HealthResponse;
  #hasStarted = false;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#version = { statusCode: 200, body: options.version };
  }

  /** Liveness. It checks no component, because a restart does not repair a component. */
  healthz(): HealthResponse {
    return OK;
  }

  /** Readiness. While draining it responds at once, without any cache. */
  async readyz(): Promise<HealthResponse> {
    const { lifecycle } = this.#options;
    if (lifecycle.phase === 'starting') return STARTING;
    if (lifecycle.isDraining) return DRAINING;
    const results = await this.#ask();
    // The signal may have arrived while a component was checked.
    if (lifecycle.phase !== 'serving') return DRAINING;
    const readiness = createReadiness(results);
    if (readiness.statusCode === 200) this.#hasStarted = true;
    return readiness;
  }

  /** Startup. After the process was ready once, this always returns ok, like liveness. */
  async startupz(): Promise<HealthResponse> {
    if (!this.#hasStarted) await this.readyz();
    return this.#hasStarted ? OK : STARTING;
  }

  version(): HealthResponse {
    return this.#version;
  }

  /** The state of each component, for operators. Served on the management port only. */
  async detail(): Promise<HealthResponse> {
    const results = await this.#ask();
    const { statusCode } = createReadiness(results);
    const status = WORDS[findWorst(results)];
    const { version, digest } = this.#options.version;
    const checks = Object.fromEntries(results.flatMap(createChecks));
    const body = { status, version, releaseId: digest, phase: this.#options.lifecycle.phase, checks };
    return { statusCode, body };
  }

  async #ask(): Promise<Result[]> {
    const pending = this.#options.indicators.map(async ({ ask, figures }) =>
      Object.entries(await ask()).map(([name, finding]) => ({ name, ...finding, figures: figures?.() ?? {} })),
    );
    return (await Promise.all(pending)).flat();
  }
}

type Result = Finding[string] & { readonly name: string; readonly figures: Readonly<Record<string, number>> };

/** Maps the states of Terminus to those of application/health+json. */
const WORDS = { up: 'pass', degraded: 'warn', down: 'fail' } as const;

function createReadiness(results: readonly Result[]): HealthResponse {
  const worst = findWorst(results);
  const checks = Object.fromEntries(results.map(({ name, status }) => [name, status]));
  return { statusCode: worst === 'down' ? 503 : 200, body: { status: worst === 'up' ? 'ok' : worst, checks } };
}

function findWorst(results: readonly Result[]): HealthIndicatorStatus {
  const has = (word: HealthIndicatorStatus) => results.some(({ status }) => status === word);
  if (has('down')) return 'down';
  return has('degraded') ? 'degraded' : 'up';
}

function createChecks({ name, status: word, latencyMs, figures }: Result): [string, object[]][] {
  const status = WORDS[word];
  const latency = { observedValue: Math.round(latencyMs * 10) / 10, observedUnit: 'ms', status };
  return [
    [`${name}:responseTime`, [latency]],
    ...Object.entries(figures).map(([figure, value]): [string, object[]] => [
      `${name}:${figure}`,
      [{ observedValue: value, status }],
    ]),
  ];
}
