import type { Lifecycle } from './lifecycle.js';
import type { Probe, ProbeResult } from './probe.js';

export interface Component {
  readonly probe: Probe;
  /** A required component takes the process out of traffic; without an optional one it serves on, degraded. */
  readonly isRequired: boolean;
  /** Further figures for people, such as the use of a pool. */
  readonly figures?: () => Readonly<Record<string, number>>;
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
  readonly components: Readonly<Record<string, Component>>;
  readonly version: Version;
}

export interface HealthAnswer {
  readonly statusCode: 200 | 503;
  readonly body: object;
}

const OK: HealthAnswer = { statusCode: 200, body: { status: 'ok' } };
const STARTING: HealthAnswer = { statusCode: 503, body: { status: 'starting' } };
const DRAINING: HealthAnswer = { statusCode: 503, body: { status: 'draining' } };

/** The answers of a process about itself: names and words, never an address, a message or a trace. */
export class Health {
  readonly #options: HealthOptions;
  readonly #version: HealthAnswer;
  #hasStarted = false;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#version = { statusCode: 200, body: options.version };
  }

  /** Should I be restarted? It asks nobody: a restart mends no other component. */
  healthz(): HealthAnswer {
    return OK;
  }

  /** Should I get traffic? Draining answers at once, past every cache. */
  async readyz(): Promise<HealthAnswer> {
    const { lifecycle } = this.#options;
    if (lifecycle.phase === 'starting') return STARTING;
    if (lifecycle.isDraining) return DRAINING;
    const results = await this.#ask();
    // The signal may have come while a component was being asked.
    if (lifecycle.phase !== 'serving') return DRAINING;
    const answer = createReadiness(results);
    if (answer.statusCode === 200) this.#hasStarted = true;
    return answer;
  }

  /** May I join? Latched: after the first full readiness it answers as liveness does, for ever. */
  async startupz(): Promise<HealthAnswer> {
    if (!this.#hasStarted) await this.readyz();
    return this.#hasStarted ? OK : STARTING;
  }

  version(): HealthAnswer {
    return this.#version;
  }

  /** What is wrong, for people: on the management port only. */
  async detail(): Promise<HealthAnswer> {
    const results = await this.#ask();
    const worst = createReadiness(results);
    const status = worst.statusCode === 503 ? 'fail' : results.every(({ isUp }) => isUp) ? 'pass' : 'warn';
    const { version, digest } = this.#options.version;
    const checks = Object.fromEntries(results.flatMap(createChecks));
    const body = { status, version, releaseId: digest, phase: this.#options.lifecycle.phase, checks };
    return { statusCode: worst.statusCode, body };
  }

  #ask(): Promise<NamedResult[]> {
    const entries = Object.entries(this.#options.components);
    return Promise.all(entries.map(async ([name, part]) => ({ name, part, ...(await part.probe()) })));
  }
}

type NamedResult = ProbeResult & { readonly name: string; readonly part: Component };

function createReadiness(results: readonly NamedResult[]): HealthAnswer {
  const missing = results.filter(({ isUp }) => !isUp);
  const isDown = missing.some(({ part }) => part.isRequired);
  const status = isDown ? 'down' : missing.length > 0 ? 'degraded' : 'ok';
  const checks = Object.fromEntries(results.map((result) => [result.name, createWord(result)]));
  return { statusCode: isDown ? 503 : 200, body: { status, checks } };
}

function createWord({ isUp, part }: NamedResult): 'up' | 'down' | 'degraded' {
  if (isUp) return 'up';
  return part.isRequired ? 'down' : 'degraded';
}

function createChecks(result: NamedResult): [string, object[]][] {
  const status = result.isUp ? 'pass' : result.part.isRequired ? 'fail' : 'warn';
  const latency = { observedValue: Math.round(result.latencyMs * 10) / 10, observedUnit: 'ms', status };
  const figures = Object.entries(result.part.figures?.() ?? {});
  return [
    [`${result.name}:responseTime`, [latency]],
    ...figures.map(([name, value]): [string, object[]] => [
      `${result.name}:${name}`,
      [{ observedValue: value, status }],
    ]),
  ];
}
