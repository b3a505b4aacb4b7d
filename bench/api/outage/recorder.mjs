// Calls the probes each second and counts the responses to clients in that second.
import { readFileSync } from 'node:fs';
import { listChildren, readPostmaster } from './faults.mjs';

const SECOND = 1_000;
const PROBES = ['/healthz', '/readyz', '/startupz'];
const PROBE_TIMEOUT_MS = 900;

export class Recorder {
  seconds = [];
  marks = {};
  slowestProbeMs = 0;
  #options;
  #timer;
  #watch;
  /** Each change of readiness, sampled ten times a second. */
  #readiness = [];
  #startedAt = performance.now();

  constructor(options) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#record(), SECOND);
    this.#watch = setInterval(() => void this.#noteReadiness(), SECOND / 10);
  }

  get mostSessions() {
    return Math.max(...this.seconds.map(({ sessions }) => sessions));
  }

  mark(name) {
    this.marks[name] = performance.now();
  }

  stop() {
    clearInterval(this.#timer);
    clearInterval(this.#watch);
  }

  /** Waits for three seconds in which readiness is ok and every response is a success. */
  async waitUntilRecovered(patienceMs) {
    const deadline = performance.now() + patienceMs;
    const isWell = () =>
      this.seconds.length > 0 &&
      this.seconds
        .slice(-3)
        .every(({ at, probes, outcomes }) => at > this.marks.recovered + SECOND && isOk(probes) && onlyOk(outcomes));
    while (!isWell() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  times() {
    const { failed, ended } = this.marks;
    const refused = this.#readiness.find(({ at, status }) => at > failed && status === 503);
    const ready = refused && this.#readiness.findLast(({ status }) => status === 200);
    const lastError = this.#options.clients.responses.findLast(({ outcome }) => outcome !== 'ok');
    return {
      down: refused && refused.at - failed,
      ready: ready && Math.max(0, ready.at - ended),
      lastError: lastError && lastError.at - ended,
    };
  }

  print(title) {
    console.log(`== ${title}`);
    console.log(
      '  s  fault      healthz  readyz                                  startupz     ok   503 other broken  p99 ms  open  sessions',
    );
    for (const { at, probes, outcomes, p99, open, sessions } of this.seconds) {
      const count = (pattern) => sum(outcomes, (outcome) => pattern.test(outcome));
      const cells = [
        String(Math.round((at - this.#startedAt) / SECOND)).padStart(3),
        this.#faultAt(at).padEnd(9),
        probes['/healthz'].padEnd(7),
        probes['/readyz'].padEnd(38),
        probes['/startupz'].padEnd(8),
        String(count(/^ok/)).padStart(6),
        String(count(/^503/)).padStart(5),
        String(count(/^(?!503)\d/)).padStart(5),
        String(count(/^broken/)).padStart(6),
        String(Math.round(p99)).padStart(7),
        String(open).padStart(5),
        String(sessions).padStart(9),
      ];
      console.log(cells.join('  '));
    }
    const all = Object.groupBy(this.#options.clients.responses, ({ outcome }) => outcome);
    console.log(
      'responses: ' +
        Object.entries(all)
          .map(([outcome, list]) => `${list.length} ${outcome}`)
          .join(', '),
    );
  }

  async #record() {
    const { clients } = this.#options;
    const at = performance.now();
    const recent = clients.responses.filter((response) => response.at > at - SECOND && response.at <= at);
    const entry = {
      at,
      open: clients.open,
      sessions: this.#countSessions(),
      outcomes: recent.map(({ outcome }) => outcome),
    };
    const latencies = recent.map(({ ms }) => ms).sort((a, b) => a - b);
    entry.p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
    const asked = await Promise.all(PROBES.map((path) => this.#probe(path)));
    entry.probes = Object.fromEntries(PROBES.map((path, index) => [path, asked[index]]));
    this.seconds.push(entry);
  }

  async #noteReadiness() {
    const response = await fetch(`${this.#options.url}/readyz`).catch(() => ({ status: 0 }));
    if (response.status !== this.#readiness.at(-1)?.status)
      this.#readiness.push({ at: performance.now(), status: response.status });
  }

  async #probe(path) {
    const startedAt = performance.now();
    try {
      const response = await fetch(`${this.#options.url}${path}`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
      const { status, checks = {} } = await response.json();
      const parts = Object.entries(checks).map(([name, word]) => `${name}:${word}`);
      return path === '/readyz' ? [response.status, status, ...parts].join(' ') : String(response.status);
    } catch (error) {
      return error.name;
    } finally {
      this.slowestProbeMs = Math.max(this.slowestProbeMs, Math.round(performance.now() - startedAt));
    }
  }

  #faultAt(at) {
    const { failed, ended = Infinity, recovered = Infinity } = this.marks;
    if (failed === undefined || at < failed) return '';
    if (at < ended) return 'down';
    return at < recovered ? 'starting' : '';
  }

  /** Counts the server processes of the application role in /proc, because a paused server does not respond. */
  #countSessions() {
    const postmaster = readPostmaster(this.#options.postmaster());
    return listChildren(postmaster).filter((pid) => readTitle(pid).includes('airlock_app')).length;
  }
}

function isOk(probes) {
  return probes['/readyz'].startsWith('200 ok');
}

function onlyOk(outcomes) {
  return outcomes.length > 0 && outcomes.every((outcome) => outcome === 'ok');
}

function sum(values, isCounted) {
  return values.filter(isCounted).length;
}

function readTitle(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
