import type { HealthIndicatorResult, HealthIndicatorStatus } from '@nestjs/terminus';
import type { Lifecycle } from './lifecycle.js';

/** What Terminus's indicators say, by the name of the component, with how long the last answer took and nothing else. */
export type Finding = HealthIndicatorResult<string, HealthIndicatorStatus, { readonly latencyMs: number }>;

export interface Indicator {
  readonly ask: () => Promise<Finding>;
  /** Further figures for people, such as the use of a pool. */
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
    const { statusCode } = createReadiness(results);
    const status = WORDS[findWorst(results)];
    const { version, digest } = this.#options.version;
    const checks = Object.fromEntries(results.flatMap(createChecks));
    const body = { status, version, releaseId: digest, phase: this.#options.lifecycle.phase, checks };
    return { statusCode, body };
  }

  async #ask(): Promise<Result[]> {
    const answers = this.#options.indicators.map(async ({ ask, figures }) =>
      Object.entries(await ask()).map(([name, finding]) => ({ name, ...finding, figures: figures?.() ?? {} })),
    );
    return (await Promise.all(answers)).flat();
  }
}

type Result = Finding[string] & { readonly name: string; readonly figures: Readonly<Record<string, number>> };

/** Of application/health+json, for the words of Terminus. */
const WORDS = { up: 'pass', degraded: 'warn', down: 'fail' } as const;

function createReadiness(results: readonly Result[]): HealthAnswer {
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
