import { Problem } from '../problems/problem.js';

export interface LoadShedderOptions {
  /** The number of requests that wait for a connection to the database. */
  readonly waiting: () => number;
  readonly poolSize: number;
  /** How late timers may be; 250 ms by default. */
  readonly maxDelayMs?: number | undefined;
}

const TURN_MS = 100;
/** If a timer is this late, new requests wait equally long before they are processed. */
const MAX_DELAY_MS = 250;
/** One late turn, such as after a paused machine, is already over when it is noticed. Only repeated delays count. */
const MAX_LATE_TURNS = 3;
/** A request behind a longer queue would wait until its client times out. */
const MAX_WAITING_PER_CONNECTION = 50;

/** Rejects requests before any work if they could not finish in time, so that accepted requests stay fast. */
export class LoadShedder {
  readonly #options: LoadShedderOptions;
  readonly #timer: NodeJS.Timeout;
  #lateTurns = 0;
  #lastTurnAt = performance.now();

  constructor(options: LoadShedderOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#noteTurn(), TURN_MS).unref();
  }

  /** @throws Problem overloaded */
  admit(): void {
    const { waiting, poolSize } = this.#options;
    if (this.#lateTurns >= MAX_LATE_TURNS || waiting() > poolSize * MAX_WAITING_PER_CONNECTION) {
      throw new Problem('overloaded', { headers: { 'retry-after': '1' } });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /**
   * Uses a timer instead of Node's delay histogram, which records nothing while each turn takes as long as a sample.
   */
  #noteTurn(): void {
    const now = performance.now();
    const { maxDelayMs = MAX_DELAY_MS } = this.#options;
    const isLate = now - this.#lastTurnAt - TURN_MS > maxDelayMs;
    this.#lateTurns = isLate ? this.#lateTurns + 1 : 0;
    this.#lastTurnAt = now;
  }
}
